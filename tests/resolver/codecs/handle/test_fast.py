from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.values.value import Value, encode_record
from resolver.codecs.handle.answering import decode_query
from resolver.codecs.handle.bodies.resolution import (
    ResolveReply,
    ResolveRequest,
    decode_resolve_reply,
    decode_resolve_request,
    encode_resolve_reply,
    encode_resolve_request,
)
from resolver.codecs.handle.fast import (
    cache_key,
    decode_plain_resolve,
    encode_plain_reply,
    is_of_stream,
    reply_to_message,
    stream_cache_key,
    with_request_id,
)
from resolver.codecs.handle.fragments import split_message
from resolver.codecs.handle.header import AT, CT, ENC, RD, TRUSTED_QUERY
from resolver.codecs.handle.message import Message, decode_message, encode_message
from resolver.codecs.handle.reply import expiration, reply_to
from resolver.query import Query
from tests.support.handle_vectors import case_id, cases

U8, U16, U32 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32))
short = st.binary(max_size=12)
questions = st.tuples(
    short, st.lists(U32, max_size=3).map(tuple), st.lists(short, max_size=3).map(tuple)
).map(lambda drawn: ResolveRequest(*drawn))
plain_messages = st.builds(
    Message,
    op_code=st.just(1),
    body=questions.map(encode_resolve_request),
    op_flags=U32.map(lambda flags: flags & ~(AT | CT | ENC | RD | TRUSTED_QUERY)),
    request_id=U32,
    major=U8,
    minor=U8,
    suggest_major=st.integers(0, 3),
    suggest_minor=U8,
    site_serial=U16,
    recursion_count=U8,
    expiration=U32,
)
RECORD = encode_record([Value(1, b"URL", b"https://factory.example/1")])
PLAIN = Message(1, body=encode_resolve_request(ResolveRequest(b"88.1/x")), request_id=7)


def assert_read_alike(datagram: bytes) -> None:
    """If the fast way reads a datagram, the general codec reads the same."""
    plain = decode_plain_resolve(datagram)
    if plain is None:
        return
    message = decode_message(datagram)
    assert (message.op_code, message.response_code, message.session_id) == (1, 0, 0)
    assert decode_resolve_request(message.body) == plain[:3]
    assert plain.op_flags == message.op_flags
    assert plain.suggested_version == message.suggested_version


@given(plain_messages)
def test_plain_requests_are_read_as_the_general_codec_does(message: Message) -> None:
    datagram = encode_message(message)

    assert decode_plain_resolve(datagram) is not None
    assert_read_alike(datagram)


@given(plain_messages, st.data())
def test_damaged_requests_are_left_to_the_general_codec(
    message: Message, data: st.DataObject
) -> None:
    datagram = bytearray(encode_message(message))
    datagram[data.draw(st.integers(0, len(datagram) - 1))] = data.draw(U8)
    assert_read_alike(bytes(datagram))


def test_a_request_for_a_fresh_answer_is_not_to_be_taken_from_a_cache() -> None:
    fresh = replace(PLAIN, op_flags=AT)
    assert decode_plain_resolve(encode_message(fresh)) is None
    for message, wanted in ((PLAIN, False), (fresh, True)):
        query = decode_query(message)
        assert isinstance(query, Query)
        assert query.fresh is wanted


@given(st.binary(max_size=100))
def test_arbitrary_octets_never_raise(datagram: bytes) -> None:
    assert_read_alike(datagram)


@pytest.mark.parametrize("case", cases("wire_udp"), ids=case_id)
def test_captured_requests_are_read_alike(case: dict[str, Any]) -> None:
    for packet in case["request_packets_hex"]:
        assert_read_alike(bytes.fromhex(packet))


@given(plain_messages, st.integers(0, 2**31), U16, st.sampled_from([0, AT]))
def test_replies_are_written_as_the_general_codec_does(
    message: Message, now: int, serial: int, flags: int
) -> None:
    datagram = encode_message(message)
    plain = decode_plain_resolve(datagram)
    assert plain is not None
    ours = encode_plain_reply(
        datagram, plain, RECORD, serial=serial, expiration=expiration(now), flags=flags
    )

    body = encode_resolve_reply(ResolveReply(plain.handle, RECORD))
    general = reply_to(message, 1, body, serial=serial, now=now, flags=flags)
    assert ours == encode_message(general)


SUCCESSES = [
    case
    for case in cases("wire_udp")
    if case.get("response_header", {}).get("response_code") == 1
    and decode_plain_resolve(bytes.fromhex(case["request_packets_hex"][0]))
]


@pytest.mark.parametrize("case", SUCCESSES, ids=case_id)
def test_captured_replies_are_reproduced(case: dict[str, Any]) -> None:
    datagram = bytes.fromhex(case["request_packets_hex"][0])
    packets = [bytes.fromhex(packet) for packet in case["response_packets_hex"]]
    head = packets[0]
    content = b"".join(packet[20:] for packet in packets)[24:-4]
    plain = decode_plain_resolve(datagram)
    assert plain is not None
    reply = encode_plain_reply(
        datagram,
        plain,
        decode_resolve_reply(content).record,
        serial=int.from_bytes(head[32:34], "big"),
        expiration=int.from_bytes(head[36:40], "big"),
    )

    assert [*split_message(reply)] == packets


@pytest.mark.parametrize(
    "message",
    [
        replace(PLAIN, session_id=1),
        replace(PLAIN, sequence=1),
        replace(PLAIN, response_code=1),
        replace(PLAIN, op_code=2),
        replace(PLAIN, op_flags=RD),
        replace(PLAIN, op_flags=CT),
        replace(PLAIN, op_flags=ENC),
        replace(PLAIN, envelope_flags=0x80),
        replace(PLAIN, credential=b"c"),
        replace(PLAIN, body=PLAIN.body[:-1]),
        replace(PLAIN, body=b""),
    ],
)
def test_what_is_not_plain_goes_the_general_way(message: Message) -> None:
    assert decode_plain_resolve(encode_message(message)) is None


def test_repeats_of_a_request_share_their_key() -> None:
    key = cache_key(encode_message(PLAIN))

    assert cache_key(encode_message(replace(PLAIN, request_id=8, expiration=99))) == key
    assert cache_key(encode_message(replace(PLAIN, site_serial=2))) != key
    assert cache_key(encode_message(replace(PLAIN, minor=10))) != key


def test_keys_of_streams_are_told_from_those_of_datagrams() -> None:
    message = encode_message(PLAIN)
    key = stream_cache_key(message)

    assert (is_of_stream(key), is_of_stream(cache_key(message))) == (True, False)
    assert stream_cache_key(encode_message(replace(PLAIN, request_id=8, expiration=99))) == key
    assert decode_plain_resolve(key) == decode_plain_resolve(message)
    assert cache_key(key) == cache_key(message)


@given(st.binary(max_size=100))
def test_what_is_short_stays_too_short_for_a_request(datagram: bytes) -> None:
    key = cache_key(datagram)
    assert len(key) == len(datagram) or decode_plain_resolve(key) is None


def test_a_kept_reply_is_given_another_request_id() -> None:
    body = bytes(1200)
    kept = split_message(encode_message(Message(1, 1, body, request_id=7)))
    other = encode_message(replace(PLAIN, request_id=0x01020304))

    expected = split_message(encode_message(Message(1, 1, body, request_id=0x01020304)))
    assert with_request_id(b"".join(kept), other) == [*expected]
    assert reply_to_message(encode_message(Message(1, 1, body, request_id=7)), other) == (
        encode_message(Message(1, 1, body, request_id=0x01020304))
    )
