from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from resolver.codecs.handle.envelope import FramingError, decode_envelope
from resolver.codecs.handle.fragments import (
    CHUNK,
    MAX_DATAGRAM,
    PATIENCE,
    Limits,
    Reassembler,
    cut,
    is_fragment,
    split_message,
)
from resolver.codecs.handle.message import Message, encode_message
from tests.support.handle_vectors import case_id, cases

MANY = [case for case in cases("wire_udp") if len(case.get("response_packets_hex") or ()) > 1]


def message_of(size: int, request_id: int = 1) -> bytes:
    """An encoded message with `size` octets of body."""
    return encode_message(
        Message(1, body=bytes(i & 0xFF for i in range(size)), request_id=request_id)
    )


def fed(packets: list[bytes] | tuple[bytes, ...], reassembler: Reassembler | None = None) -> Any:
    """What comes out, for every packet."""
    reassembler = Reassembler() if reassembler is None else reassembler
    return [reassembler.feed("peer", packet, 0) for packet in packets]


@pytest.mark.parametrize("case", MANY, ids=case_id)
def test_captured_packets_come_together_and_part_again(case: dict[str, Any]) -> None:
    packets = [bytes.fromhex(packet) for packet in case["response_packets_hex"]]
    *before, whole = fed(packets)

    assert not any(before)
    assert [*split_message(whole)] == packets
    assert not decode_envelope(whole).truncated


@pytest.mark.parametrize(
    "name", ["udp-fragmented-request-reversed", "udp-fragmented-request-duplicate"]
)
def test_captured_requests_out_of_order_or_doubled_are_read(name: str) -> None:
    case = next(case for case in cases("wire_udp") if case["id"] == name)
    packets = [bytes.fromhex(packet) for packet in case["request_packets_hex"]]

    assert {*split_message(fed(packets)[-1])} == {*packets}


@pytest.mark.parametrize(
    ("body", "sizes"),
    [
        (CHUNK - 28, [MAX_DATAGRAM]),
        (CHUNK - 27, [MAX_DATAGRAM, 21]),
        (2 * CHUNK - 28, [MAX_DATAGRAM, MAX_DATAGRAM]),
        (2 * CHUNK - 27, [MAX_DATAGRAM, MAX_DATAGRAM, 21]),
    ],
)
def test_packets_are_filled(body: int, sizes: list[int]) -> None:
    assert [len(packet) for packet in split_message(message_of(body))] == sizes


@given(st.integers(0, 2000))
def test_packets_one_after_another(size: int) -> None:
    message = message_of(size)
    assert cut(message) == b"".join(split_message(message))


@given(st.integers(0, 3000), st.data())
def test_any_order_with_any_doubles_gives_the_message(size: int, data: st.DataObject) -> None:
    message = message_of(size)
    packets = split_message(message)
    doubles = data.draw(st.lists(st.sampled_from(packets), max_size=5))
    order = data.draw(st.permutations([*packets[1:], *doubles]))
    if len(packets) == 1:
        assert packets == (message,)
        return
    whole = [piece for piece in fed([*order, packets[0]]) if piece]
    assert whole[:1] == [message]


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_arbitrary_packets_raise_nothing_but_decode_errors(packets: list[bytes]) -> None:
    reassembler = Reassembler()
    for packet in packets:
        with contextlib.suppress(DecodeError):
            reassembler.feed("peer", packet, 0)


def test_messages_of_different_ids_and_sources_do_not_mix() -> None:
    one, other = split_message(message_of(600, 1)), split_message(message_of(600, 2))
    reassembler = Reassembler()

    assert fed([one[0], other[1]], reassembler) == [None, None]
    assert reassembler.feed("stranger", one[1], 0) is None
    assert fed([other[0], one[1]], reassembler) == [message_of(600, 2), message_of(600, 1)]
    assert len(reassembler) == 1


def test_after_five_seconds_a_message_is_forgotten() -> None:
    first, second = split_message(message_of(600))
    reassembler = Reassembler()

    reassembler.feed("peer", first, 10)
    assert reassembler.feed("peer", second, 10 + PATIENCE) is None
    assert reassembler.abandoned == 1
    assert reassembler.feed("peer", first, 10 + PATIENCE) == message_of(600)
    assert len(reassembler) == 0


def test_the_oldest_message_makes_room() -> None:
    reassembler = Reassembler(Limits(messages=2))
    for request_id in range(3):
        reassembler.feed("peer", split_message(message_of(600, request_id))[0], 0)

    assert len(reassembler) == 2
    assert reassembler.abandoned == 1
    assert reassembler.feed("peer", split_message(message_of(600, 0))[1], 0) is None


def test_one_source_cannot_fill_the_memory() -> None:
    reassembler = Reassembler(Limits(octets_per_source=2 * CHUNK))
    packets = split_message(message_of(1500))
    fed(packets[:2], reassembler)

    with pytest.raises(FramingError, match="too much"):
        reassembler.feed("peer", packets[2], 0)
    assert reassembler.feed("somebody else", packets[2], 0) is None
    reassembler.expire(PATIENCE)
    assert len(reassembler) == 0
    assert fed(split_message(message_of(600)), reassembler)[-1] == message_of(600)


def test_a_double_costs_nothing() -> None:
    reassembler = Reassembler(Limits(octets_per_source=CHUNK + 200))
    first, second = split_message(message_of(600))

    assert fed([first, first, first, second], reassembler)[-1] == message_of(600)


def test_packets_with_their_own_length_are_refused() -> None:
    case = next(case for case in cases("wire_udp") if case["id"] == "udp-fragmented-packet-length")
    packets = [bytes.fromhex(packet) for packet in case["request_packets_hex"]]

    with pytest.raises(FramingError, match="packet 1 of 1"):
        Reassembler().feed("peer", packets[1], 0)


def test_packets_that_differ_in_the_length_are_refused() -> None:
    reassembler = Reassembler()
    reassembler.feed("peer", split_message(message_of(600))[0], 0)

    with pytest.raises(FramingError, match="differ"):
        reassembler.feed("peer", split_message(message_of(1500))[1], 0)


@pytest.mark.parametrize("change", [b"", b"\0"])
def test_a_packet_that_is_not_full_is_refused(change: bytes) -> None:
    first = split_message(message_of(1500))[0]
    damaged = first + change if change else first[:-1]

    with pytest.raises(FramingError, match="octets of the message"):
        Reassembler().feed("peer", damaged, 0)


def test_replies_may_lack_the_flag() -> None:
    packet = bytearray(split_message(message_of(600))[0])
    packet[2] &= ~0x20
    envelope = decode_envelope(bytes(packet))

    assert not is_fragment(envelope, len(packet))
    assert is_fragment(envelope, len(packet), trust_length=True)
    whole = decode_envelope(message_of(10))
    assert not is_fragment(whole, len(message_of(10)), trust_length=True)
