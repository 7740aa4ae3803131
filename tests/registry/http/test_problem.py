from __future__ import annotations

import json

import pytest

from registry import outcomes
from registry.errors import InvalidIdentifier, InvalidValue, NotFound
from registry.http.problem import problem, refusal_problem
from registry.outcomes import OUTCOMES


@pytest.mark.parametrize("name", OUTCOMES)
def test_each_outcome_has_a_document(name):
    outcome = OUTCOMES[name]
    status, headers, body = problem(outcome, "so it is", instance="/v1/x")
    members = json.loads(body)
    assert status == members["status"] == outcome.http
    assert headers["Content-Type"] == "application/problem+json"
    assert members["type"] == f"/problems/{outcome.slug}"
    assert (members["code"], members["detail"]) == (outcome.slug, "so it is")
    assert members["retryable"] is outcome.retryable
    assert ("Retry-After" in headers) == ("retry_after" in members) == outcome.retryable
    assert ("WWW-Authenticate" in headers) == (status == 401)


def test_members_without_a_value_are_left_out():
    _, _, body = problem(outcomes.NOT_FOUND)
    assert set(json.loads(body)) == {"type", "title", "status", "code", "retryable"}


def test_who_is_responsible_is_named():
    _, _, body = problem(outcomes.NOT_RESPONSIBLE, responsible="sector node baijiu")
    assert json.loads(body)["responsible"] == "sector node baijiu"


def test_a_refusal_names_its_rule_or_field():
    _, _, body = refusal_problem(InvalidIdentifier("prefix", "the prefix is empty"))
    assert json.loads(body)["errors"] == [{"code": "prefix", "detail": "the prefix is empty"}]
    _, _, body = refusal_problem(InvalidValue("no number", 1, "ttl"))
    assert json.loads(body)["errors"] == [{"pointer": "/ttl", "detail": "no number"}]
    _, _, body = refusal_problem(NotFound("gone"), request_id="r1")
    assert "errors" not in json.loads(body)
    assert json.loads(body)["request_id"] == "r1"
