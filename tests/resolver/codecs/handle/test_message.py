from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from resolver.codecs.handle.envelope import (
    ENCRYPTED,
    MAX_LENGTH,
    FramingError,
    OversizeError,
    decode_envelope,
    encode_envelope,
)
from resolver.codecs.handle.header import RD, decode_header, encode_header
from resolver.codecs.handle.message import (
    Message,
    decode_message,
    decode_payload,
    encode_message,
    encode_payload,
    peek_message,
    seal,
)
from resolver.codecs.handle.versions import Version
from tests.support.handle_vectors import case_id, cases

U8, U16, U32 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32))
messages = st.builds(
    Message,
    op_code=U32,
    response_code=U32,
    body=st.binary(max_size=60),
    credential=st.binary(max_size=20),
    op_flags=U32,
    request_id=U32,
    session_id=U32,
    major=U8,
    minor=U8,
    suggest_major=st.integers(0, 3),
    suggest_minor=U8,
    envelope_flags=st.integers(0, 63).map(lambda bits: bits << 2 & ~ENCRYPTED),
    sequence=U32,
    site_serial=U16,
    recursion_count=U8,
    reserved=U8,
    expiration=U32,
)
PLAIN = encode_message(Message(1, body=b"\0\0\0\x0488/x" + bytes(8), request_id=7, expiration=9))
WHOLE = [*cases("messages"), *cases("signed_messages")]


@pytest.mark.parametrize("case", WHOLE, ids=case_id)
def test_what_the_library_writes_is_read_and_written_again(case: dict[str, str]) -> None:
    data = bytes.fromhex(case["hex"])
    message = decode_message(data)

    assert encode_message(message) == data
    assert message.body.hex() == case["body_hex"]
    assert message.credential.hex() == case["credential_hex"][8:]
    envelope, header = bytes.fromhex(case["envelope_hex"]), bytes.fromhex(case["header_hex"])
    assert encode_envelope(decode_envelope(envelope)) == envelope
    assert encode_header(decode_header(header)) == header


@given(messages)
def test_every_message_survives_the_wire(message: Message) -> None:
    assert decode_message(encode_message(message)) == message


@given(st.binary(max_size=120))
def test_arbitrary_octets_raise_nothing_but_decode_errors(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        assert decode_message(encode_message(decode_message(data))) == decode_message(data)


@given(st.integers(0, len(PLAIN) - 1), U8)
def test_one_wrong_octet_raises_nothing_but_decode_errors(place: int, octet: int) -> None:
    data = PLAIN[:place] + bytes([octet]) + PLAIN[place + 1 :]
    with contextlib.suppress(DecodeError):
        decode_message(data)


def test_the_credential_length_may_be_missing() -> None:
    payload = encode_payload(decode_message(PLAIN))[:-4]

    assert decode_message(seal(decode_message(PLAIN), payload)) == decode_message(PLAIN)


@pytest.mark.parametrize("end", [b"\0", b"\0\0\0", b"\0\0\0\x01", b"\0\0\0\0\0"])
def test_a_credential_of_another_length_than_announced_is_refused(end: bytes) -> None:
    payload = encode_payload(decode_message(PLAIN))[:-4] + end

    with pytest.raises(DecodeError, match="credential"):
        decode_message(seal(decode_message(PLAIN), payload))


@pytest.mark.parametrize("size", range(20))
def test_less_than_an_envelope_is_no_message(size: int) -> None:
    with pytest.raises(FramingError):
        decode_message(PLAIN[:size])


@pytest.mark.parametrize("data", [PLAIN[:-1], PLAIN + b"\0", PLAIN[:20]])
def test_another_size_than_announced_is_no_message(data: bytes) -> None:
    with pytest.raises(FramingError, match="announced"):
        decode_message(data)


def test_a_length_below_a_header_is_no_message() -> None:
    with pytest.raises(FramingError, match="a header has 24"):
        decode_message(PLAIN[:16] + (23).to_bytes(4, "big") + bytes(23))


def test_the_limit_of_length_is_named() -> None:
    with pytest.raises(OversizeError, match="262144") as caught:
        decode_envelope(PLAIN[:16] + (MAX_LENGTH + 1).to_bytes(4, "big"))

    assert caught.value.outcome.slug == "too-large"
    assert decode_envelope(PLAIN[:16] + MAX_LENGTH.to_bytes(4, "big")).length == MAX_LENGTH


def test_a_body_longer_than_the_message_is_refused_but_can_be_answered() -> None:
    flags = RD.to_bytes(4, "big")
    data = PLAIN[:28] + flags + PLAIN[32:40] + b"\xff\xff\xff\xff" + PLAIN[44:]

    with pytest.raises(DecodeError, match="4294967295 octets announced") as caught:
        decode_message(data)

    assert not isinstance(caught.value, FramingError)
    assert caught.value.offset == 40
    peeked = peek_message(data)
    assert (peeked.request_id, peeked.op_code, peeked.op_flags, peeked.body) == (7, 1, 0, b"")


def test_an_encrypted_message_is_read_once_it_is_decrypted() -> None:
    message = replace(decode_message(PLAIN), session_id=5)
    payload = encode_payload(message)
    data = seal(message, bytes(16) + payload, ENCRYPTED)

    with pytest.raises(DecodeError, match="encrypted"):
        decode_message(data)

    read = decode_payload(decode_envelope(data), payload)
    assert read == replace(message, envelope_flags=ENCRYPTED)


@pytest.mark.parametrize("size", [0, 23])
def test_less_than_a_header_in_a_payload_is_refused(size: int) -> None:
    with pytest.raises(DecodeError, match="header"):
        decode_payload(decode_envelope(PLAIN), bytes(size))


@pytest.mark.parametrize("major", [0, 1, 2, 3, 5, 255])
def test_any_major_version_is_read(major: int) -> None:
    message = decode_message(bytes([major]) + PLAIN[1:])

    assert message.version == Version(major, 11)


def test_no_suggestion_means_the_version_itself() -> None:
    message = Message(1, major=2, minor=1, suggest_major=0, suggest_minor=0)

    assert message.suggested_version == Version(2, 1)
    assert replace(message, suggest_major=2, suggest_minor=10).suggested_version == Version(2, 10)
