"""Requests that were captured with a Handle.Net server, put to a node that has the same records.

Replies are compared in everything but expiration and the like; what differs, differs for a reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest

from registry.outcomes import OK
from registry.values.key_objects import load_public_key
from registry.values.site import decode_site
from resolver.codecs.handle.bodies.administration import encode_handle
from resolver.codecs.handle.bodies.authentication import decode_challenge
from resolver.codecs.handle.bodies.digest import split_digest
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.credential import Credential, decode_credential
from resolver.codecs.handle.message import Message, decode_message, encode_message
from resolver.codecs.handle.signing import verify_message
from tests.support.handle_vectors import case_id, cases
from tests.support.processes import Node
from tests.support.recorded_server import recorded_server
from tests.support.wire import (
    Tcp,
    Udp,
    fetch,
    handle_tcp,
    handle_udp,
    joined,
    resolve_request,
)

#: Two replies on one connection: `test_requests_on_a_kept_connection`.
TWO_REPLIES = "tcp-two-requests-keep-connection"
#: Cases whose reply is drawn in part, compared in the rest.
CHALLENGE = "udp-perms-index-secret"
CERTIFIED = (
    "udp-certified-211",
    "udp-certified-27",
    "udp-certified-26",
    "tcp-certified-211",
    "tcp-certified-not-found",
)
NO_MESSAGE = "what is no message, or another length than it says, is dropped: no reflection"
#: Datagrams that the recorded server answered and a node does not.
DROPPED = {
    "udp-bad-empty": NO_MESSAGE,
    "udp-bad-one-octet": NO_MESSAGE,
    "udp-bad-short-envelope": NO_MESSAGE,
    "udp-bad-length-negative": NO_MESSAGE,
    "udp-bad-length-23": NO_MESSAGE,
    "udp-bad-length-too-long": NO_MESSAGE,
    "udp-bad-ascii-junk": NO_MESSAGE,
    "udp-bad-response-code-set": "a reply is never answered: no loops",
    "udp-fragment-missing": "the recorded server did not answer either",
}
#: The recorded server loses the request where it cannot read it; a node repeats its head.
WHOLE_HEAD = {"op_code", "op_flags", "request_id", "minor", "site_serial"}
#: The rest of it, where the operation is not lost.
HEAD = WHOLE_HEAD - {"op_code"}
OWN_SITE = "the site is the node's own"
NO_SESSION = "the same code and words; the head is repeated"
OWN_ID = "the client's request id, as far as it came"
TOO_LONG = "102, not 100: identifiers have at most 255 octets; the reply is no packet of several"
#: Case -> the members of the reply that differ, and why.
DIFFERENT: dict[str, tuple[set[str], str]] = {
    "udp-get-site-info": ({"body", "packets"}, OWN_SITE),
    "udp-get-site-info-empty": ({"body", "packets"}, OWN_SITE),
    "site": ({"json"}, OWN_SITE),
    "http-get-site-info": ({"body"}, OWN_SITE),
    "udp-derived-prefix-referral-old-client": ({"body"}, "a text of our own"),
    "udp-non-utf8": ({"response_code", "body"}, "102, not 100: it is no identifier"),
    "udp-status-handle-po": ({"response_code", "body"}, "nodes have no 0.SITE/status"),
    "status-handle": ({"status", "json"}, "nodes have no 0.SITE/status"),
    "udp-fragmented-request-reversed": ({"response_code", "body", "envelope_flags"}, TOO_LONG),
    "udp-fragmented-request-duplicate": ({"response_code", "body", "envelope_flags"}, TOO_LONG),
    "udp-fragmented-packet-length": (
        {"response_code", "body", "envelope_flags", *WHOLE_HEAD},
        "4: packets that do not make up a message",
    ),
    "udp-bad-encrypted-flag-no-session": (HEAD, NO_SESSION),
    "tcp-bad-encrypted-flag-no-session": (HEAD, NO_SESSION),
    "udp-bad-encrypted-flag-unknown-session": ({"body", "session_id", *HEAD}, "words of our own"),
    "udp-bad-opcode-999": ({"response_code", "body", *WHOLE_HEAD}, "5, not 2: unsupported"),
    "udp-bad-string-length-negative": ({"response_code", "body", *WHOLE_HEAD}, "4, not 2"),
    "udp-bad-string-length-past-end": ({"response_code", "body"}, "4, not 100: it is broken"),
    "tcp-bad-opcode-0": (
        {"response_code", "body", *HEAD},
        "5, not 4: unsupported",
    ),
    "tcp-bad-opcode-999": ({"response_code", "body", *WHOLE_HEAD}, "5, not 2: unsupported"),
    "tcp-bad-envelope-only": ({"request_id"}, OWN_ID),
    "tcp-bad-length-23": ({"request_id"}, OWN_ID),
    "tcp-bad-length-huge": (
        {"response_code", "body", "request_id"},
        "4, not 2: it is the client's fault",
    ),
    "tcp-bad-string-length-huge": ({"response_code", "body", *WHOLE_HEAD}, "4, not 2"),
    "tcp-bad-string-length-negative": ({"response_code", "body", *WHOLE_HEAD}, "4, not 2"),
    "tcp-bad-type-count-huge": ({"response_code", "body", *WHOLE_HEAD}, "4, not 2"),
    "get-not-found": ({"json"}, "says which node is responsible"),
    "trailing-space": ({"json"}, "says which node is responsible"),
    "get-bad-index": ({"json"}, "names no internals"),
    "get-index-various": ({"json"}, "names no internals"),
    "verifications": ({"json"}, "names no internals"),
}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with recorded_server(tmp_path_factory.mktemp("recorded")) as running:
        yield running


def exchanges(name: str) -> list[pytest.param]:
    return [
        pytest.param(case, id=case_id(case))
        for case in cases(name)
        if case["id"] not in (TWO_REPLIES, CHALLENGE, *CERTIFIED)
        and not case["id"].startswith("tcp-admin-")
    ]


def plain_exchanges() -> list[pytest.param]:
    """Those over plain HTTP: what was done over HTTPS is done again in order elsewhere."""
    return [one for one in exchanges("json_api") if one.values[0]["transport"] == "http"]


def different(found: Message, captured: Message) -> set[str]:
    """The members in which two replies differ, but for the time."""
    names = {field.name for field in fields(Message)} - {"expiration"}
    return {name for name in names if getattr(found, name) != getattr(captured, name)}


@pytest.mark.parametrize("case", exchanges("wire_udp"))
def test_over_udp(case, node):
    request = [bytes.fromhex(packet) for packet in case["request_packets_hex"]]
    captured = [bytes.fromhex(packet) for packet in case["response_packets_hex"]]
    with Udp(node.handle, good=resolve_request("88.1000/none")) as peer:
        replies = peer.provoke(*request)
    if case["id"] in DROPPED:
        assert replies == []
        return
    members = different(decode_message(joined(replies)), decode_message(joined(captured)))
    if len(replies) != len(captured):
        members.add("packets")
    assert members == DIFFERENT.get(case["id"], (set(),))[0]


@pytest.mark.parametrize("case", exchanges("wire_tcp"))
def test_over_tcp(case, node):
    with Tcp(node.handle) as peer:
        peer.send(bytes.fromhex(case["request_hex"]))
        reply = peer.rest()
    captured = decode_message(bytes.fromhex(case["response_hex"]))
    assert different(decode_message(reply), captured) == DIFFERENT.get(case["id"], (set(),))[0]


def test_requests_on_a_kept_connection(node):
    case = named(TWO_REPLIES)
    captured = decode_message(bytes.fromhex(case["response_hex"]))
    with Tcp(node.handle) as peer:
        peer.send(bytes.fromhex(case["request_hex"]))
        first, second = (decode_message(peer.handle_message()) for _ in range(2))
        assert peer.rest() == b""
    assert different(first, captured) == set()
    assert (second.response_code, second.request_id) == (OK.handle, captured.request_id + 1)


@pytest.mark.parametrize("case", exchanges("wire_http"))
def test_through_the_tunnel(case, node):
    request = bytes.fromhex(case["request_hex"])
    path, media_type = case["http_path"], case["request_content_type"]
    reply = fetch(node.http, path, "POST", request, Content_Type=media_type)
    assert reply.status == case["http_status"]
    assert reply.headers["Content-Type"] == case["response_content_type"]
    captured = decode_message(bytes.fromhex(case["response_hex"]))
    members = different(decode_message(reply.body), captured)
    assert members == DIFFERENT.get(case["id"], (set(),))[0]


def named(name: str) -> Any:
    """A case over UDP or TCP."""
    return next(case for case in cases(f"wire_{name[:3]}") if case["id"] == name)


def test_a_challenge(node):
    case = named(CHALLENGE)
    reply = handle_udp(node.handle, bytes.fromhex(case["request_packets_hex"][0]))
    captured = decode_message(bytes.fromhex(case["response_packets_hex"][0]))
    assert different(reply, captured) == {"session_id", "body"}
    digest, challenge = split_digest(reply.body, reply.version)
    captured_digest, captured_challenge = split_digest(captured.body, captured.version)
    assert digest == captured_digest
    assert len(decode_challenge(challenge)) == len(decode_challenge(captured_challenge))
    assert reply.session_id > 0


@pytest.mark.parametrize("name", CERTIFIED)
def test_certified_replies(name, node):
    case = named(name)
    if name.startswith("udp"):
        reply = handle_udp(node.handle, bytes.fromhex(case["request_packets_hex"][0]))
        octets = joined([bytes.fromhex(packet) for packet in case["response_packets_hex"]])
    else:
        reply = handle_tcp(node.handle, bytes.fromhex(case["request_hex"]))
        octets = bytes.fromhex(case["response_hex"])
    captured = decode_message(octets)
    assert different(reply, captured) == {"credential"}
    assert unsigned(reply) == unsigned(captured)
    site = handle_tcp(
        node.handle, encode_message(Message(OpCode.SITE_INFO, body=encode_handle(b"")))
    )
    assert verify_message(reply, load_public_key(decode_site(site.body).servers[0].public_key))


def unsigned(reply: Message) -> Credential:
    """The credential but for the signature."""
    return decode_credential(reply.credential)._replace(signature=b"")


@pytest.mark.parametrize("case", plain_exchanges())
def test_over_http(case, node):
    asked, captured = case["request"], case["response"]
    base = getattr(node, case["transport"])
    body = asked["body"].encode() if asked["body"] else None
    headers = {name.replace("-", "_"): text for name, text in asked["headers"].items()}
    reply = fetch(base, asked["path"], asked["method"], body, **headers)
    found = {
        "status": reply.status,
        "type": reply.headers.get("Content-Type"),
        "json": json.loads(reply.body) if captured["json"] else None,
        "text": None if captured["json"] else reply.body.decode(),
    }
    wanted = captured | {"type": captured["headers"].get("Content-Type")}
    members = {name for name in found if found[name] != wanted[name]}
    assert members == DIFFERENT.get(case["id"], (set(),))[0]


@pytest.mark.parametrize("case", cases("proxy_http"), ids=case_id)
def test_of_the_web_proxy(case, node):
    asked, captured = case["request"], case["response"]
    headers = {name.replace("-", "_"): text for name, text in asked["headers"].items()}
    reply = fetch(node.http, asked["path"], asked["method"], Host="10.88.0.1:8000", **headers)
    assert reply.status == captured["status"]
    for name in ("Location", "Content-Type"):
        assert reply.headers[name] == captured["headers"].get(name)
    assert ("Expires" in reply.headers) == ("Expires" in captured["headers"])
    if not captured["text"].startswith("("):  # of pages in HTML only the length was recorded
        assert reply.body.decode() == captured["text"]


def test_every_exception_is_about_a_case():
    names = ("wire_udp", "wire_tcp", "wire_http", "json_api")
    known = {case["id"] for name in names for case in cases(name)}
    assert known >= {TWO_REPLIES, CHALLENGE, *CERTIFIED, *DROPPED, *DIFFERENT}
