from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.codecs.handle.envelope import OversizeError
from resolver.codecs.handle.framing import CutMessageError, MessageStream
from resolver.codecs.handle.message import Message, encode_message
from tests.support.handle_vectors import case_id, cases

ONE, TWO = (encode_message(Message(1, body=body, request_id=7)) for body in (b"one", b"second"))
TOO_LONG = ONE[:16] + b"\x00\x04\x00\x01"


@given(st.lists(st.sampled_from([ONE, TWO]), max_size=5), st.data())
def test_messages_come_out_however_they_are_cut(sent: list[bytes], data: st.DataObject) -> None:
    octets = b"".join(sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=8)))
    stream = MessageStream()
    received = []
    for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True):
        received += stream.feed(octets[start:end])

    assert received == sent
    stream.finish()


def test_messages_come_out_octet_by_octet() -> None:
    stream = MessageStream()
    received = [stream.feed(bytes([octet])) for octet in ONE + TWO]

    assert [messages for messages in received if messages] == [[ONE], [TWO]]


@pytest.mark.parametrize("case", cases("wire_tcp"), ids=case_id)
def test_captured_replies_are_split(case: dict[str, Any]) -> None:
    stream = MessageStream()
    messages = stream.feed(bytes.fromhex(case["response_hex"]))

    assert len(messages) == case["response_messages"]
    stream.finish()


def test_two_captured_requests_on_one_connection_are_split() -> None:
    case = next(c for c in cases("wire_tcp") if c["id"] == "tcp-two-requests-keep-connection")

    assert len(MessageStream().feed(bytes.fromhex(case["request_hex"]))) == 2


def test_a_cut_message_says_how_much_came() -> None:
    stream = MessageStream()
    assert stream.feed(ONE[:-2]) == []

    with pytest.raises(CutMessageError, match=f"expecting {len(ONE) - 20} octets, only received"):
        stream.finish()


def test_a_cut_envelope_is_an_error_too() -> None:
    stream = MessageStream()
    stream.feed(ONE[:7])

    with pytest.raises(CutMessageError, match="7 octets"):
        stream.finish()


def test_what_came_before_a_length_that_cannot_be_is_kept() -> None:
    stream = MessageStream()

    assert stream.feed(ONE + TOO_LONG) == [ONE]
    assert isinstance(stream.failure, OversizeError)
    assert stream.feed(TWO) == []
    with pytest.raises(OversizeError):
        stream.finish()


def test_a_too_long_message_is_known_by_its_envelope() -> None:
    stream = MessageStream()

    assert stream.feed(TOO_LONG[:19]) == []
    assert stream.failure is None
    assert stream.feed(TOO_LONG[19:]) == []
    assert stream.failure is not None


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_arbitrary_octets_never_raise(pieces: list[bytes]) -> None:
    stream = MessageStream()
    for piece in pieces:
        stream.feed(piece)
