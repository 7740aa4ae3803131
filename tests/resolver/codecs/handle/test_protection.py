from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from resolver.codecs.handle.credential import MAC, Credential, decode_credential, encode_credential
from resolver.codecs.handle.envelope import ENCRYPTED, FramingError, decode_envelope
from resolver.codecs.handle.message import Message, decode_message, encode_message, seal
from resolver.codecs.handle.protection import (
    add_mac,
    check_mac,
    decrypt_message,
    encrypt_message,
)
from resolver.codecs.handle.versions import Version
from tests.support.handle_vectors import cases
from tests.support.recorded_flows import Recorded, recorded

KEY = bytes(range(32))
REQUEST = Message(100, body=b"what to create", session_id=0x12345678, request_id=0x9ABCDEF0)
VERSIONS = [Version(5, 0), *(Version(2, minor) for minor in range(12))]
BY_LIBRARY = [
    (case, bytes.fromhex(case["body"]["session_key_hex"]))
    for case in cases("signed_messages")
    if case["id"].startswith("mac")
] + [(case, case["session_key"].encode()) for case in cases("credentials") if "session_key" in case]
SESSIONS = [one for one in recorded("flow_session") if one.session_key]
ENCRYPTED_ONES = [one for one in SESSIONS if decode_envelope(one.octets).encrypted]
WITH_MAC = [one for one in SESSIONS if b"HS_MAC" in one.message.credential]


def of_version(version: Version) -> Message:
    return replace(REQUEST, major=version.major, minor=version.minor)


@pytest.mark.parametrize(("case", "key"), BY_LIBRARY, ids=[case["id"] for case, _ in BY_LIBRARY])
def test_macs_of_the_library_hold_and_are_made_again(case: dict[str, Any], key: bytes) -> None:
    message = decode_message(bytes.fromhex(case["hex"]))
    counter = decode_credential(message.credential).counter

    assert check_mac(message, key) == counter
    assert add_mac(message, key, counter) == message
    assert check_mac(message, key[:-1] + b"?") is None
    assert check_mac(replace(message, body=message.body + b"!"), key) is None


def test_recorded_macs_hold_and_are_made_again() -> None:
    assert len(WITH_MAC) == 16
    for one in WITH_MAC:
        assert one.session_key
        counter = check_mac(one.message, one.session_key)
        assert counter
        assert add_mac(one.message, one.session_key, counter) == one.message


def test_recorded_counters_rise_on_each_side() -> None:
    sent = [one.message for one in WITH_MAC if one.message.session_id == 88]
    counters = [decode_credential(message.credential).counter for message in sent]

    assert counters == [1, 1, 2, 2, 3]


@pytest.mark.parametrize("one", ENCRYPTED_ONES, ids=lambda one: one.case)
def test_recorded_messages_are_decrypted_and_encrypted_again(one: Recorded) -> None:
    assert one.session_key
    message = decrypt_message(one.octets, one.session_key)

    assert encrypt_message(message, one.session_key, one.octets[20:36]) == one.octets


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_what_is_sent_here_is_read_here(version: Version) -> None:
    message = add_mac(of_version(version), KEY, 7)

    assert check_mac(decode_message(encode_message(message)), KEY) == 7
    read = decrypt_message(encrypt_message(message, KEY), KEY)
    assert read == replace(message, envelope_flags=ENCRYPTED)
    assert check_mac(read, KEY) == 7


def test_the_counter_is_covered_from_27_on() -> None:
    for version in VERSIONS:
        message = add_mac(of_version(version), KEY, 7)
        credential = decode_credential(message.credential)._replace(counter=8)
        repeated = replace(message, credential=encode_credential(credential))
        covered = version.major == 2 and version.minor >= 7
        assert (check_mac(repeated, KEY) is None) is covered


def test_two_encryptions_differ() -> None:
    assert encrypt_message(REQUEST, KEY) != encrypt_message(REQUEST, KEY)


@pytest.mark.parametrize("name", [b"SHA-256", b"HMAC-SHA1", b"\x13", b"\x12", b"hmac-sha256"])
def test_other_digests_of_peers_are_read(name: bytes) -> None:
    credential = Credential(MAC, name, b"no digest at all", 1)

    assert check_mac(replace(REQUEST, credential=encode_credential(credential)), KEY) is None


@pytest.mark.parametrize("name", [b"SHA-512", b"", b"\x22"])
def test_an_unknown_digest_is_refused(name: bytes) -> None:
    credential = encode_credential(Credential(MAC, name, b"", 1))

    for version in VERSIONS:
        with pytest.raises(DecodeError):
            check_mac(replace(of_version(version), credential=credential), KEY)


def test_no_credential_and_a_signature_are_no_mac() -> None:
    signed = encode_credential(Credential(b"HS_SIGNED", b"SHA-256", b"", 1))

    assert check_mac(REQUEST, KEY) is None
    assert check_mac(replace(REQUEST, credential=signed), KEY) is None


def test_only_encrypted_messages_are_decrypted() -> None:
    with pytest.raises(DecodeError, match="not encrypted"):
        decrypt_message(encode_message(REQUEST), KEY)


@pytest.mark.parametrize(
    "octets",
    [b"", bytes(19), encrypt_message(REQUEST, KEY)[:-1]],
    ids=["nothing", "half an envelope", "all but an octet"],
)
def test_less_than_a_message_is_no_message(octets: bytes) -> None:
    with pytest.raises(FramingError):
        decrypt_message(octets, KEY)


@pytest.mark.parametrize(
    "payload", [bytes(24), bytes(31), bytes(32), bytes(33), bytes(48)], ids=len
)
def test_whatever_does_not_open_is_refused_in_the_same_words(payload: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        decrypt_message(seal(REQUEST, payload, ENCRYPTED), KEY)

    assert str(caught.value) == "the message cannot be decrypted with the key of its session"
    with pytest.raises(DecodeError) as other_key:
        decrypt_message(encrypt_message(REQUEST, KEY), KEY[::-1])
    assert str(other_key.value) == str(caught.value)


@given(st.binary(min_size=24, max_size=120))
def test_arbitrary_payloads_raise_nothing_but_decode_errors(payload: bytes) -> None:
    with contextlib.suppress(DecodeError):
        decrypt_message(seal(REQUEST, payload, ENCRYPTED), KEY)


@given(
    st.one_of(
        st.binary(max_size=80),
        st.tuples(
            st.sampled_from([MAC, b"HS_SIGNED"]),
            st.one_of(st.binary(max_size=12), st.sampled_from([b"HMAC-SHA256", b"\x02"])),
            st.binary(max_size=40),
        ).map(lambda members: encode_credential(Credential(*members))),
    ),
    st.sampled_from(VERSIONS),
)
def test_arbitrary_credentials_are_wrong_or_refused(credential: bytes, version: Version) -> None:
    with contextlib.suppress(DecodeError):
        assert check_mac(replace(of_version(version), credential=credential), KEY) is None
