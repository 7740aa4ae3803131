"""HTTP requests are well formed, and their replies are judged by what the identifier holds."""

import json
from typing import Any

import pytest

from load_tests.requests import http
from load_tests.requests.http_reply import Reply
from load_tests.requests.template import Kind, Template
from registry.values.json_form import value_to_json
from registry.values.value import Value, encode_record

NAME = "88.901.7/白酒 0001"
VALUES = [Value(1, b"URL", b"https://example.org/1"), Value(2, b"DESC", "白酒".encode())]
RECORD = encode_record(VALUES)
HOST = "127.0.0.1:2642"
FORMS = [value_to_json(value) for value in VALUES]


def judged(asked: Template, status: int, body: Any = None, location: bytes = b"") -> Kind:
    octets = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    content = Reply(status, location, octets, False).content
    return asked.check(0, content, 0, len(content)).kind


@pytest.fixture
def lookup() -> Template:
    return http.lookup(NAME, RECORD, HOST, (b"URL",))


def test_a_lookup_is_a_plain_get(lookup: Template) -> None:
    lines = lookup.request.decode().split("\r\n")
    assert lines[0] == ("GET /api/handles/88.901.7/%E7%99%BD%E9%85%92%200001?type=URL HTTP/1.1")
    assert lines[1:] == [f"Host: {HOST}", "", ""]


def test_the_expected_values_are_right_and_so_is_their_repetition(lookup: Template) -> None:
    body = {"responseCode": 1, "handle": NAME, "values": FORMS}
    assert judged(lookup, 200, body) is Kind.RIGHT
    assert lookup.parts[0].size > 0
    assert judged(lookup, 200, body) is Kind.RIGHT


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"responseCode": 1, "values": FORMS[:1]}, Kind.WRONG),
        (200, {"responseCode": 1, "values": []}, Kind.WRONG),
        (200, {"responseCode": 200, "values": []}, Kind.WRONG),
        (200, b"not JSON", Kind.WRONG),
        (200, b"[]", Kind.WRONG),
        (404, {"responseCode": 100}, Kind.WRONG),
        (503, {}, Kind.REFUSED),
        (429, b"", Kind.REFUSED),
    ],
)
def test_other_replies_to_a_lookup(lookup: Template, status: int, body: Any, kind: Kind) -> None:
    assert judged(lookup, status, body) is kind


def test_what_does_not_exist_must_be_denied() -> None:
    asked = http.denied_lookup("88.901/NONE", HOST)
    assert judged(asked, 404, {"responseCode": 100}) is Kind.RIGHT
    assert judged(asked, 200, {"responseCode": 1, "values": FORMS}) is Kind.WRONG
    assert judged(asked, 503) is Kind.REFUSED


def test_a_redirect_must_lead_to_the_url() -> None:
    asked = http.redirect("88.901/BOT 1", b"https://example.org/1", HOST)
    assert asked.request.startswith(b"GET /88.901/BOT%201 HTTP/1.1\r\n")
    assert judged(asked, 302, b"", b"https://example.org/1") is Kind.RIGHT
    assert judged(asked, 307, b"", b"https://example.org/1") is Kind.RIGHT
    assert judged(asked, 302, b"", b"https://example.org/2") is Kind.WRONG
    assert judged(asked, 200, b"an empty page") is Kind.WRONG
    assert judged(asked, 503, b"") is Kind.REFUSED


def test_a_registration_is_acknowledged_by_201_alone() -> None:
    told: list[int] = []
    values = [{"index": 1, "type": "URL", "data": "https://example.org/1"}]
    asked = http.registration("88.901.7/A/B", values, HOST, "secret", lambda: told.append(1))
    head, _, body = asked.request.partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /v1/identifiers/88.901.7%2FA%2FB HTTP/1.1\r\n")
    assert b"Authorization: Bearer secret" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert json.loads(body) == {"values": values}
    for status in (200, 202, 409, 500, 503):
        assert judged(asked, status, {"code": "already-exists"}) is Kind.REFUSED
    assert told == []
    assert judged(asked, 201, {"identifier": "88.901.7/A/B"}) is Kind.RIGHT
    assert told == [1]


def test_a_bulk_registration_is_acknowledged_when_every_row_was_accepted() -> None:
    told: list[int] = []
    values = [{"index": 1, "type": "URL", "data": "https://example.org/1"}]
    rows = [(f"88.901.7/{number}", values) for number in range(3)]
    asked = http.bulk_registration(rows, HOST, "secret", lambda: told.append(1))
    body = asked.request.partition(b"\r\n\r\n")[2]
    assert [json.loads(line)["identifier"] for line in body.splitlines()] == [
        "88.901.7/0",
        "88.901.7/1",
        "88.901.7/2",
    ]
    some = b'{"line":2}\n{"accepted":2,"rejected":1,"committed_through":3}\n'
    assert judged(asked, 200, some) is Kind.REFUSED
    assert judged(asked, 200, b'{"committed_through":3}\n') is Kind.REFUSED
    assert judged(asked, 503, {"code": "overloaded"}) is Kind.REFUSED
    assert told == []
    every = b'{"committed_through":2}\n{"accepted":3,"rejected":0,"committed_through":3}\n'
    assert judged(asked, 200, every) is Kind.RIGHT
    assert told == [1]


def test_what_was_acknowledged_is_held_to_its_data_not_to_timestamps() -> None:
    values = [{"index": 1, "type": "URL", "data": "https://example.org/1"}]
    asked = http.stored_lookup("88.901/X", values, HOST)
    more = [FORMS[0] | {"timestamp": "2030-01-01T00:00:00Z"}, {"index": 400, "type": "SIG"}]
    assert judged(asked, 200, {"responseCode": 1, "values": more}) is Kind.RIGHT
    assert judged(asked, 200, {"responseCode": 1, "values": FORMS[1:]}) is Kind.WRONG
    assert judged(asked, 404, {"responseCode": 100}) is Kind.WRONG
