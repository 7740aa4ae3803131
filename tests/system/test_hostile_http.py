"""Bad HTTP requests to a node that lives: a problem document for each, counted."""

from __future__ import annotations

import contextlib
import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from registry import outcomes
from tests.support.bad_requests import KNOWN
from tests.support.counting import counted, difference
from tests.support.processes import Node
from tests.support.wire import Tcp, fetch

HEAD = b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
#: Octets of a request -> the outcome; the reply is a problem document.
HTTP_REFUSALS = {
    "no HTTP": (b"\x00\x01\x02\x03\r\n\r\n", outcomes.UNSUPPORTED),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40), outcomes.UNSUPPORTED),
    "unknown method": (b"BREW /healthz" + HEAD, outcomes.UNSUPPORTED),
    "version 9.9": (b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n", outcomes.MALFORMED),
    "two lengths": (
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        outcomes.MALFORMED,
    ),
    "length and chunks": (
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        outcomes.MALFORMED,
    ),
    "negative length": (
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        outcomes.MALFORMED,
    ),
    "header without a colon": (b"GET / HTTP/1.1\r\nHost x\r\n\r\n", outcomes.MALFORMED),
    "a target that is no URL": (b"GET http://[::1/api" + HEAD, outcomes.MALFORMED),
    "long target": (b"GET /" + b"x" * 9000 + HEAD, outcomes.URI_TOO_LONG),
    "long header": (
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: "
        + b"y" * 20_000
        + b"\r\n\r\n",
        outcomes.HEADERS_TOO_LARGE,
    ),
    "endless header": (
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 70_000,
        outcomes.HEADERS_TOO_LARGE,
    ),
    "many headers": (
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        outcomes.HEADERS_TOO_LARGE,
    ),
    "method of another resource": (
        b"PATCH /v1/resolve/88.901/X" + HEAD,
        outcomes.METHOD_NOT_ALLOWED,
    ),
    "no identifier": (b"GET /v1/resolve/%2Fx" + HEAD, outcomes.INVALID_IDENTIFIER),
    "line feed": (b"GET /v1/resolve/88.901/a%0Ab" + HEAD, outcomes.INVALID_IDENTIFIER),
    "no UTF-8": (b"GET /v1/resolve/88.901/%FF" + HEAD, outcomes.INVALID_IDENTIFIER),
    "unknown resource": (b"GET /v1/nothing" + HEAD, outcomes.NOT_FOUND),
}
#: Octets of a request to the Handle JSON API -> the outcome, in that API's form.
API_REFUSALS = {
    "no identifier": (b"GET /api/handles/" + HEAD, outcomes.INVALID_IDENTIFIER),
    "no UTF-8": (b"GET /api/handles/88.901/%FF" + HEAD, outcomes.INVALID_IDENTIFIER),
    "NUL": (b"GET /api/handles/88.901/%00" + HEAD, outcomes.INVALID_IDENTIFIER),
    "line feed": (b"GET /api/handles/88.901/a%0Ab" + HEAD, outcomes.INVALID_IDENTIFIER),
    "too long": (b"GET /api/handles/88.901/" + b"x" * 250 + HEAD, outcomes.INVALID_IDENTIFIER),
    "bad index": (b"GET /api/handles/88.901/X?index=" + b"9" * 5000 + HEAD, outcomes.MALFORMED),
}


def http_exchange(node: Node, octets: bytes) -> tuple[int, str, Any]:
    """Status, media type and JSON of the reply to raw octets."""
    place = urlsplit(node.http)
    with Tcp((place.hostname or "", place.port or 0)) as peer:
        peer.send(octets)
        reply = http.client.HTTPResponse(peer.socket)
        reply.begin()
        return reply.status, reply.headers["Content-Type"], json.loads(reply.read())


@pytest.mark.parametrize("case", HTTP_REFUSALS)
def test_an_http_request_that_is_refused(case, node):
    octets, outcome = HTTP_REFUSALS[case]
    before = counted(node, "http")
    status, media_type, problem = http_exchange(node, octets)
    assert (status, media_type) == (outcome.http, "application/problem+json")
    assert (problem["status"], problem["code"]) == (status, outcome.slug)
    assert "xxxx" not in json.dumps(problem), "it repeats no octets"
    assert difference(counted(node, "http"), before) == {outcome.slug: 1}
    assert fetch(node.http, f"/api/handles/{KNOWN}").status == 200


@pytest.mark.parametrize("case", API_REFUSALS)
def test_a_request_to_the_json_api_that_is_refused(case, node):
    octets, outcome = API_REFUSALS[case]
    before = sum(counted(node, "http").values())
    status, media_type, reply = http_exchange(node, octets)
    assert (status, media_type) == (outcome.http, "application/json;charset=utf-8")
    assert reply["responseCode"] == outcome.handle
    assert len(reply["message"]) < 100
    assert sum(counted(node, "http").values()) == before + 1
    assert fetch(node.http, f"/api/handles/{KNOWN}").status == 200


def test_a_body_that_is_too_large(node):
    reply = fetch(node.http, f"/api/handles/{KNOWN}", "POST", bytes(2 << 20))
    assert (reply.status, reply.json["responseCode"]) == (413, 4)


def test_https_ports_hear_no_tls(node):
    address = urlsplit(node.https)
    for octets in (b"GET /healthz" + HEAD, b"\x16\x03\x01\xff\xff" + bytes(200), b""):
        with Tcp((address.hostname or "", address.port or 0)) as peer:
            peer.send(octets)
            with contextlib.suppress(ConnectionResetError):
                peer.rest()
    assert fetch(node.https, "/healthz").body == b"ok\n"
