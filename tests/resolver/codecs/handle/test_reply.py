from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from resolver.codecs.handle.bodies.digest import split_digest
from resolver.codecs.handle.bodies.resolution import decode_error
from resolver.codecs.handle.codes import OpCode, ResponseCode
from resolver.codecs.handle.fragments import Reassembler
from resolver.codecs.handle.header import AT, CN, CT, MINT, OVERWRITE, PO, RD, REC, TRUSTED_QUERY
from resolver.codecs.handle.message import Message, decode_message, encode_message
from resolver.codecs.handle.reply import (
    LIFETIME,
    code_for,
    error_to,
    fitted,
    reply_to,
    stream_refused,
)
from resolver.codecs.handle.versions import OWN, Version, at_least, spoken
from tests.support.handle_vectors import case_id, cases

#: Captured exchanges whose reply is not ours, and why.
LEFT_OUT = {
    "udp-fragmented-request-reversed": "a reply in one packet does not claim to be one of several",
    "udp-fragmented-request-duplicate": "a reply in one packet does not claim to be one of several",
    "udp-fragmented-packet-length": "packets that contradict each other are dropped",
    "udp-fragment-missing": "no reply was captured",
    "udp-bad-empty": "what is no message is dropped",
    "udp-bad-one-octet": "what is no message is dropped",
    "udp-bad-short-envelope": "what is no message is dropped",
    "udp-bad-length-negative": "a length that cannot be is dropped",
    "udp-bad-length-23": "a length that cannot be is dropped",
    "udp-bad-length-too-long": "a length unlike the size is dropped",
    "udp-bad-opcode-999": "answered as unsupported, under its own request id",
    "udp-bad-response-code-set": "a reply sent as a request is dropped",
    "udp-bad-string-length-negative": "answered as malformed, under its own request id",
    "udp-bad-encrypted-flag-no-session": "refused under its own request id",
    "udp-bad-encrypted-flag-unknown-session": "refused under its own request id",
    "udp-bad-ascii-junk": "what is no message is dropped",
    "tcp-two-requests-keep-connection": "two requests; framing has its own test",
}
EXCHANGES = [case for case in cases("wire_udp") if case["id"] not in LEFT_OUT]
#: Under this id the captured server refuses what it cannot read; ours repeats the request's.
NO_REQUEST_ID = "ffffffff"
IN_ONE_PIECE = [
    case
    for name in ("wire_http", "wire_tcp", "idsdk")
    for case in cases(name)
    if case["id"] not in LEFT_OUT and case["response_hex"][16:24] != NO_REQUEST_ID
]


def whole(packets: list[str]) -> Message:
    """The message in captured packets."""
    if len(packets) == 1:
        return decode_message(bytes.fromhex(packets[0]))
    reassembler = Reassembler()
    pieces = [reassembler.feed("peer", bytes.fromhex(packet), 0) for packet in packets]
    return decode_message(next(piece for piece in pieces if piece))


def as_captured(request: Message, captured: Message) -> Message:
    """Our reply to the request, with the captured content."""
    body = captured.body
    if captured.op_flags & RD:
        _, body = split_digest(body, captured.version)
    ours = reply_to(
        request,
        captured.response_code,
        body,
        serial=captured.site_serial,
        now=captured.expiration - LIFETIME,
        session_id=captured.session_id,
    )
    return replace(ours, credential=captured.credential)


@pytest.mark.parametrize("case", EXCHANGES, ids=case_id)
def test_replies_over_udp_have_the_octets_of_the_captured_ones(case: dict[str, Any]) -> None:
    captured = whole(case["response_packets_hex"])

    assert as_captured(whole(case["request_packets_hex"]), captured) == captured


@pytest.mark.parametrize("case", IN_ONE_PIECE, ids=case_id)
def test_replies_in_one_piece_have_the_octets_of_the_captured_ones(case: dict[str, Any]) -> None:
    request = decode_message(bytes.fromhex(case["request_hex"]).removeprefix(b"\n"))
    captured = bytes.fromhex(case["response_hex"])

    assert encode_message(as_captured(request, decode_message(captured))) == captured


@pytest.mark.parametrize(
    ("own", "suggestion", "answered"),
    [
        ((2, 11), (2, 11), (2, 11)),
        ((2, 3), (2, 11), (2, 11)),
        ((2, 3), (2, 10), (2, 10)),
        ((2, 11), (2, 1), (2, 1)),
        ((2, 1), (0, 0), (2, 1)),
        ((2, 1), (0, 11), (2, 1)),
        ((1, 0), (1, 0), (1, 0)),
        ((5, 0), (0, 0), (5, 0)),
        ((3, 0), (2, 11), (2, 11)),
        ((3, 0), (3, 0), (2, 11)),
        ((2, 12), (0, 0), (2, 11)),
    ],
)
def test_the_version_asked_for_is_spoken_up_to_ours(
    own: tuple[int, int], suggestion: tuple[int, int], answered: tuple[int, int]
) -> None:
    assert spoken(Version(*own), Version(*suggestion)) == Version(*answered)


def test_versions_with_major_5_are_older_than_2() -> None:
    assert not at_least(Version(5, 0), Version(2, 0))
    assert at_least(Version(3, 0), OWN)
    assert str(OWN) == "2.11"


def test_a_reply_repeats_only_what_concerns_it() -> None:
    asked = PO | OVERWRITE | MINT | TRUSTED_QUERY
    reply = reply_to(Message(100, op_flags=asked), 1, serial=3, now=0.9)

    assert reply.op_flags == PO | AT | REC
    assert reply.site_serial == 3
    assert reply.expiration == LIFETIME


def test_flags_say_where_an_answer_comes_from_and_whether_more_follow() -> None:
    request = Message(OpCode.LIST_HANDLES)

    assert reply_to(request, 1, serial=1, now=0, flags=0).op_flags == REC
    assert reply_to(request, 1, serial=1, now=0, flags=AT | CN).op_flags == REC | AT | CN


def test_a_challenge_always_has_a_digest() -> None:
    request = Message(OpCode.DELETE_HANDLE, body=b"\0\0\0\x0488/x")
    reply = reply_to(request, ResponseCode.AUTHENTICATION_NEEDED, b"n", serial=1, now=0)

    assert reply.op_flags & RD
    assert len(reply.body) == 1 + 32 + 1


def test_an_answered_challenge_is_replied_to_as_the_first_request() -> None:
    answer = Message(OpCode.CHALLENGE_ANSWER, session_id=9)
    reply = reply_to(answer, 1, serial=1, now=0, session_id=0, op_code=OpCode.DELETE_HANDLE)

    assert (reply.op_code, reply.session_id) == (OpCode.DELETE_HANDLE, 0)


def test_a_refusal_carries_its_text() -> None:
    reply = error_to(Message(1), ResponseCode.NOT_RESPONSIBLE, "not here", serial=1, now=0)

    assert reply.response_code == 301
    assert decode_error(reply.body) == "not here"


@pytest.mark.parametrize(
    ("code", "version", "sent"),
    [
        (202, Version(2, 5), 202),
        (202, Version(2, 4), 201),
        (202, Version(5, 0), 201),
        (7, Version(2, 4), 303),
        (7, Version(2, 11), 7),
        (100, Version(2, 0), 100),
    ],
)
def test_old_peers_get_the_codes_they_know(code: int, version: Version, sent: int) -> None:
    assert code_for(code, version) == sent


def test_the_expiration_stays_within_its_four_octets() -> None:
    assert reply_to(Message(1), 1, serial=1, now=2**32 - 1).expiration == LIFETIME - 1


def test_a_stream_that_is_no_message_is_refused_as_peers_refuse_it():
    case = next(case for case in cases("wire_tcp") if case["id"] == "tcp-bad-envelope-only")
    captured = decode_message(bytes.fromhex(case["response_hex"]))
    made = stream_refused("Invalid message length", now=captured.expiration - LIFETIME)
    assert encode_message(made).hex() == case["response_hex"]


@pytest.mark.parametrize("size", [44, 48, 52, 60, 80, 200])
@pytest.mark.parametrize("flags", [0, RD, CT, RD | CT])
def test_a_refusal_of_junk_is_no_longer_than_the_junk(size, flags):
    request = Message(OpCode.RESOLVE, op_flags=flags, request_id=7)
    refusal = error_to(request, ResponseCode.PROTOCOL_ERROR, "十个字说明" * 8, serial=1, now=0)
    credential = b"signature" if flags & CT else b""
    reply = fitted(encode_message(replace(refusal, credential=credential)), size)
    read = decode_message(reply)
    assert len(reply) <= size
    assert (read.response_code, read.request_id) == (ResponseCode.PROTOCOL_ERROR, 7)
    if size == 200:
        assert "十个字说明" in decode_error(reply[44:-4]) or flags


def test_answers_are_not_cut():
    request = Message(OpCode.RESOLVE)
    for code in (ResponseCode.SUCCESS, ResponseCode.NOT_RESPONSIBLE, ResponseCode.SESSION_TIMEOUT):
        reply = encode_message(error_to(request, code, "x" * 100, serial=1, now=0))
        assert fitted(reply, 44) == reply


@pytest.mark.parametrize("code", [603, 604, 605])
def test_codes_of_quotas_go_to_clients_that_know_them(code: int):
    others = Message(OpCode.CREATE_HANDLE, minor=11, suggest_major=2, suggest_minor=11)
    theirs = replace(others, minor=3, suggest_minor=10)
    said = [
        reply_to(request, code, serial=1, now=0, idis=logged_in).response_code
        for request, logged_in in ((others, False), (theirs, False), (others, True))
    ]
    assert said == [ResponseCode.SERVER_BUSY, code, code]
