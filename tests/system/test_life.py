"""The life of an identifier over REST, and what every protocol says in each of its states."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from registry import outcomes
from registry.outcomes import Outcome
from tests.support.everywhere import ask, codes
from tests.support.processes import Topology, idnode, up
from tests.support.wire import HttpReply, fetch

PREFIX = "88.901.7"


class Caller:
    """Somebody with the token of the enterprise."""

    def __init__(self, topology: Topology) -> None:
        accounts = json.loads((topology.data / "credentials.json").read_bytes())["accounts"]
        token = next(entry["token"] for entry in accounts if entry["prefix"] == PREFIX)
        self._authorization = f"Bearer {token}"
        self.node = topology.node("baijiu")

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> HttpReply:
        sent = None if body is None else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given["Authorization"] = self._authorization
        return fetch(self.node.http, f"/v1/identifiers/{PREFIX}/{path}", method, sent, **given)

    def put(self, name: str, note: str, overwrite: bool = False, **headers: str) -> HttpReply:
        values = [{"index": 1, "type": "NOTE", "data": note}]
        return self.ask("PUT", name, {"values": values, "overwrite": overwrite}, **headers)


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with up("minimal", tmp_path_factory.mktemp("life") / "data", nodes=5) as running:
        yield running
        assert running.process.stop().status == 0
        assert idnode("audit", "verify", "--data", running.data).status == 0


@pytest.fixture(scope="module")
def caller(topology: Topology) -> Caller:
    return Caller(topology)


def said(caller: Caller, name: str) -> dict[str, int]:
    return {
        protocol: found.code for protocol, found in ask(caller.node, f"{PREFIX}/{name}").items()
    }


def notes(caller: Caller, path: str) -> tuple[int, list[str]]:
    reply = caller.ask("GET", path)
    return reply.status, [value["data"]["value"] for value in reply.json.get("values", [])]


#: Steps of a life: what is asked, the status, and what resolution says after it.
LIFE: list[tuple[str, int, Outcome]] = [
    ("reserve", 201, outcomes.NOT_FOUND),
    ("reserve", 409, outcomes.NOT_FOUND),
    ("hold", 409, outcomes.NOT_FOUND),
    ("PUT", 201, outcomes.OK),
    ("release", 409, outcomes.OK),
    ("hold", 200, outcomes.ON_HOLD),
    ("PUT", 409, outcomes.ON_HOLD),
    ("DELETE", 409, outcomes.ON_HOLD),
    ("release", 200, outcomes.OK),
    ("revoke", 200, outcomes.GONE),
    ("hold", 409, outcomes.GONE),
    ("restore", 200, outcomes.OK),
    ("DELETE", 204, outcomes.NOT_FOUND),
    ("revoke", 404, outcomes.NOT_FOUND),
]


def test_every_protocol_follows_a_life_at_once(caller: Caller) -> None:
    for step, status, outcome in LIFE:
        if step == "PUT":
            reply = caller.put("LIFE", "here")
        else:
            path = "LIFE" if step == "DELETE" else f"LIFE/{step}"
            reply = caller.ask("DELETE" if step == "DELETE" else "POST", path)
        assert (step, reply.status) == (step, status)
        assert (step, said(caller, "LIFE")) == (step, codes(outcome))


def test_what_is_not_resolved_is_not_shown_either(caller: Caller) -> None:
    caller.put("SHUT", "inside")
    for step, outcome in (("hold", outcomes.ON_HOLD), ("revoke", outcomes.GONE)):
        assert caller.ask("POST", f"SHUT/{step}").status == 200
        reply = caller.ask("GET", "SHUT")
        assert (reply.status, reply.json["code"]) == (outcome.http, outcome.slug)
    assert notes(caller, "SHUT?at=1") == (200, ["inside"])


def test_earlier_versions_can_be_read(caller: Caller) -> None:
    for text in ("first", "second", "third"):
        caller.put("PAST", text, overwrite=True)
    caller.ask("DELETE", "PAST")
    assert caller.put("PAST", "again").json["version"] == 4
    history = caller.ask("GET", "PAST/history").json["versions"]
    assert [each["version"] for each in history] == [1, 2, 3, 4]
    assert {each["by"] for each in history} == {f"operator@{PREFIX}"}
    assert [each.get("ended_by") for each in history] == [f"operator@{PREFIX}"] * 3 + [None]
    assert notes(caller, "PAST?at=2") == (200, ["second"])
    assert notes(caller, f"PAST?at={history[2]['made']}") == (200, ["third"])
    assert notes(caller, "PAST?at=2020-01-01T00:00:00Z")[0] == 404
    assert notes(caller, "PAST?at=9")[0] == 404
    for wrong in ("yesterday", "2024-05-01T12:00:00", "-1"):
        assert notes(caller, f"PAST?at={wrong}")[0] == 422
    assert caller.ask("GET", "NEVER/history").status == 404


def test_a_change_is_made_of_the_version_that_was_read(caller: Caller) -> None:
    caller.put("TAG", "one")
    assert caller.ask("GET", "TAG").headers["ETag"] == '"1"'
    changed = caller.put("TAG", "two", overwrite=True, If_Match='"1"')
    assert (changed.status, changed.headers["ETag"]) == (200, '"2"')
    for stale in ('"1"', 'W/"2"', '"x"'):
        refused = caller.put("TAG", "three", overwrite=True, If_Match=stale)
        assert (refused.status, refused.json["code"]) == (412, "precondition-failed")
    assert caller.ask("DELETE", "TAG", If_Match='"1"').status == 412
    assert caller.put("TAG", "x", If_Match="2").status == 400
    assert caller.put("NO-TAG", "x", If_Match="*").status == 412
    assert notes(caller, "TAG") == (200, ["two"])
    assert caller.ask("DELETE", "TAG", If_Match='"7", "2"').status == 204


def test_a_repeated_request_is_carried_out_once(caller: Caller) -> None:
    first = caller.put("ONCE", "one", Idempotency_Key="k-1")
    again = caller.put("ONCE", "one", Idempotency_Key="k-1")
    assert (first.status, first.json) == (again.status, again.json)
    assert first.status == 201
    other = caller.put("ONCE", "two", Idempotency_Key="k-1")
    assert (other.status, other.json["code"]) == (422, "idempotency-mismatch")
    assert caller.put("OTHER", "one", Idempotency_Key="k-1").status == 422
    assert caller.put("ONCE", "one", Idempotency_Key="").status == 400
    for _ in range(2):
        assert caller.ask("DELETE", "ONCE", Idempotency_Key="k-2").status == 204
    assert caller.ask("DELETE", "ONCE").status == 404


def test_a_refused_request_may_be_repeated_for_success(caller: Caller) -> None:
    assert caller.ask("POST", "LATER/hold", Idempotency_Key="k-3").status == 404
    caller.put("LATER", "x")
    assert caller.ask("POST", "LATER/hold", Idempotency_Key="k-3").status == 200


def test_many_at_the_same_time_have_one_effect(caller: Caller) -> None:
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: caller.put("RACE", "x", Idempotency_Key="k-4"), range(8)))
    assert {(reply.status, reply.json["version"]) for reply in replies} == {(201, 1)}


def test_a_key_outlives_a_kill(data: Path) -> None:
    with up("minimal", data, nodes=5) as first:
        made = Caller(first).put("KEPT", "x", Idempotency_Key="k")
        assert made.status == 201
        first.process.kill()
    with up("minimal", data, nodes=5, base=first.base) as second:
        again = Caller(second).put("KEPT", "x", Idempotency_Key="k")
        assert (again.status, again.json) == (201, made.json)
