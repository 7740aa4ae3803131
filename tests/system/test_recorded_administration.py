"""What was done over HTTPS with a Handle.Net server, done again in the same order with a node."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.support.handle_vectors import cases
from tests.support.processes import Node
from tests.support.recorded_server import SECRET, recorded_server
from tests.support.wire import HttpReply, fetch

OWN_TEXT = "a text that names no internals"
PREFIX_ADMINISTRATORS = "an administrator of a prefix administers everything under it"
OTHER_RECORDS = "the recorded server had thousands more"
#: Case -> the members of the reply that differ, and why.
DIFFERENT: Final[dict[str, tuple[set[str], str]]] = {
    "put-index-mismatch": ({"message"}, OWN_TEXT),
    "put-handle-mismatch": ({"message"}, OWN_TEXT),
    "put-trailing-comma": ({"message"}, OWN_TEXT),
    "put-wrong-ct": ({"message"}, OWN_TEXT),
    "put-mint": ({"handle"}, "nobody mints the same twice"),
    "put-unhomed-prefix-handle": ({"status", "responseCode"}, PREFIX_ADMINISTRATORS),
    "get-secret-basic": ({"status", "responseCode", "values"}, PREFIX_ADMINISTRATORS),
    "get-perms-after": ({"values"}, "all four digits of permissions are read"),
    "list-page": ({"totalCount", "handles"}, OTHER_RECORDS),
    "list-page-2": ({"totalCount", "handles"}, OTHER_RECORDS),
    "list-prefix-0na": ({"totalCount", "handles"}, OTHER_RECORDS),
}
TIME: Final = re.compile(',"timestamp":"[^"]*"')
#: What must have been done before a case, though it was not recorded: method, path, body.
BEFORE: Final = {
    "get-after": (
        "PUT",
        "/api/handles/88.1000/k-1?index=various",
        '[{"index":6,"type":"NOTE","data":"y"},{"index":7,"type":"NOTE","data":"z"}]',
    ),
    "delete-again": ("DELETE", "/api/handles/88.1000/k-2", ""),
}
NAMED = "it also names the node that is responsible"
#: Cases of pyhandle.
PYHANDLE_DIFFERENT: Final = {
    f"pyhandle-{number}-get": ({"message"}, NAMED) for number in (10, 12, 14, 16)
}


@pytest.fixture
def node(tmp_path) -> Iterator[Node]:
    with recorded_server(tmp_path) as running:
        yield running


def done(node: Node, asked: dict[str, Any], base: str) -> HttpReply:
    headers = {name.replace("-", "_"): text for name, text in asked["headers"].items()}
    body = asked["body"].encode() if asked["body"] else None
    return fetch(base, asked["path"], asked["method"], body, **headers)


def members(status: int, body: str) -> dict[str, Any]:
    """The status and members of a reply, without the times of values."""
    found = {"status": status, **(json.loads(body) if body else {})}
    for value in found.get("values", []):
        value.pop("timestamp", None)
    return found


def different(found: dict[str, Any], wanted: dict[str, Any]) -> set[str]:
    return {name for name in found.keys() | wanted if found.get(name) != wanted.get(name)}


def test_administration_over_https(node):
    found: dict[str, set[str]] = {}
    for case in cases("json_api"):
        asked, captured = case["request"], case["response"]
        if case["transport"] == "http" or asked["path"].startswith("/api/sessions"):
            continue
        if case["id"] in BEFORE:
            before = dict(zip(("method", "path", "body"), BEFORE[case["id"]], strict=True))
            headers = asked["headers"] | {"Content-Type": "application/json"}
            assert done(node, before | {"headers": headers}, node.https).status in (200, 201)
        reply = done(node, asked, node.https)
        assert reply.headers["Content-Type"] == captured["headers"]["Content-Type"]
        wanted = members(captured["status"], json.dumps(captured["json"]))
        if unlike := different(members(reply.status, reply.body.decode()), wanted):
            found[case["id"]] = unlike
    assert found == {name: unlike for name, (unlike, _) in DIFFERENT.items()}


def test_both_challenges_over_https(node):
    case = next(case for case in cases("json_api") if case["id"] == "put-noauth")
    reply = done(node, case["request"], node.https)
    basic, handle = reply.headers.get_all("WWW-Authenticate")
    captured = case["response"]["headers"]["WWW-Authenticate"].split(" || ")
    assert basic == captured[0]
    assert handle.startswith('Handle sessionId="')
    assert handle.partition('"')[2].count('"') == captured[1].partition('"')[2].count('"')


def test_a_session_over_https(node):
    opened = fetch(node.https, "/api/sessions", "POST")
    assert (opened.status, opened.headers["Location"]) == (201, "/api/sessions/this")
    session = json.loads(opened.body)
    client_nonce = bytes([1]) * 16
    signed = SECRET + base64.b64decode(session["nonce"]) + client_nonce + SECRET
    signature = base64.b64encode(hashlib.sha1(signed).digest()).decode()
    for case in cases("json_api"):
        asked, captured = case["request"], case["response"]
        if case["transport"] == "http" or not asked["path"].startswith("/api/sessions"):
            continue
        said = asked["headers"]["Authorization"].split('"')
        said[1] = session["sessionId"]
        if "signature=" in said[-3]:
            said[-2] = signature
        reply = done(node, asked | {"headers": {"Authorization": '"'.join(said)}}, node.https)
        assert (case["id"], reply.status) == (case["id"], captured["status"])
        if captured["json"]:
            assert json.loads(reply.body) == captured["json"] | session
        else:
            assert reply.body == b""


def test_what_pyhandle_did(node):
    found: dict[str, set[str]] = {}
    for case in cases("pyhandle"):
        asked = {"method": case["method"], "path": case["url"], "body": case["body"]}
        reply = done(node, asked | {"headers": case["headers"]}, node.https)
        try:
            wanted = members(case["status"], case["response"])
        except ValueError:  # the capture ends in the middle
            whole = TIME.sub("", reply.body.decode())
            assert whole.startswith(TIME.sub("", case["response"]))
            continue
        if unlike := different(members(reply.status, reply.body.decode()), wanted):
            found[case["id"]] = unlike
    assert found == {name: unlike for name, (unlike, _) in PYHANDLE_DIFFERENT.items()}
