"""The check of Handle replies, with replies of the node's own encoder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from load_tests.requests import handle
from load_tests.requests.template import Kind, Template
from registry.values.value import Value, encode_record
from resolver.codecs.handle.bodies.resolution import (
    ResolveReply,
    decode_resolve_request,
    encode_resolve_reply,
)
from resolver.codecs.handle.fragments import split_message
from resolver.codecs.handle.message import decode_message, encode_message
from resolver.codecs.handle.reply import error_to, reply_to

NAME = "88.901.7/白酒-0001".encode()


def record(data: bytes) -> bytes:
    return encode_record([Value(1, b"URL", data)])


def replies(asked: Template, answer: bytes, serial: int = 3, now: float = 1e9) -> tuple[bytes, ...]:
    request = decode_message(asked.request)
    name = decode_resolve_request(request.body).handle
    body = encode_resolve_reply(ResolveReply(name, answer))
    return split_message(encode_message(reply_to(request, 1, body, serial=serial, now=now)))


def matches(asked: Template, number: int, packet: bytes) -> bool:
    size, ranges = asked.parts[number]
    return len(packet) == size and all(packet.startswith(octets, at) for at, octets in ranges)


@given(st.binary(max_size=3000), st.integers(0, 0xFFFF), st.integers(0, 2_000_000_000))
def test_the_reply_of_a_node_is_as_expected(data: bytes, serial: int, now: int) -> None:
    asked = handle.resolution(NAME, record(data))
    packets = replies(asked, record(data), serial, now)
    assert len(packets) == len(asked.parts)
    assert all(matches(asked, number, packet) for number, packet in enumerate(packets))
    assert [packet[handle.UDP.part_at or 0] for packet in packets] == [*range(len(packets))]


@given(st.binary(min_size=1, max_size=3000), st.data())
def test_one_changed_octet_of_the_values_is_seen(data: bytes, drawn: st.DataObject) -> None:
    place = drawn.draw(st.integers(0, len(data) - 1))
    other = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    asked = handle.resolution(NAME, record(data))
    packets = replies(asked, record(other))
    bad = [
        number
        for number, packet in enumerate(packets)
        if not matches(asked, number, packet) and asked.judge(number, packet).kind is Kind.WRONG
    ]
    assert len(bad) == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [(100, Kind.WRONG), (200, Kind.WRONG), (3, Kind.REFUSED), (301, Kind.REFUSED)],
)
def test_denying_what_exists_is_wrong_and_being_busy_is_a_refusal(code: int, kind: Kind) -> None:
    asked = handle.resolution(NAME, record(b"https://example.org/1"))
    refusal = encode_message(error_to(decode_message(asked.request), code, serial=1, now=0))
    assert not matches(asked, 0, refusal)
    assert asked.judge(0, refusal).kind is kind


@given(st.binary(max_size=60))
def test_junk_is_wrong(junk: bytes) -> None:
    asked = handle.resolution(NAME, record(b"x"))
    assert asked.judge(0, junk).kind in (Kind.WRONG, Kind.REFUSED)
    assert asked.judge(1, junk).kind is Kind.WRONG


def test_what_does_not_fit_into_a_datagram_is_for_tcp() -> None:
    with pytest.raises(ValueError, match="datagram"):
        handle.resolution(b"88.901/" + b"X" * 500, record(b"x"))
    assert handle.resolution(b"88.901/" + b"X" * 500, record(b"x"), wire=handle.TCP).parts
