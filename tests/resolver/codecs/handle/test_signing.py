from __future__ import annotations

import contextlib
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, rsa
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from registry.values.key_objects import PrivateKeyObject, load_public_key
from resolver.codecs.handle.credential import (
    MAC,
    SIGNED,
    Credential,
    decode_credential,
    encode_credential,
)
from resolver.codecs.handle.message import Message, decode_message, encode_message
from resolver.codecs.handle.signing import sign_message, signature_hash, verify_message
from resolver.codecs.handle.versions import Version
from tests.support.handle_vectors import about, case_id, cases
from tests.support.recorded_flows import FLOWS, recorded

SIGNED_BY_LIBRARY = [
    (case, case["body"]["server_public_key_hex"])
    for case in cases("signed_messages")
    if case["id"].startswith("signed")
] + [(case, case["public_key_hex"]) for case in cases("credentials") if "public_key_hex" in case]
RECORDED = [
    (one.message, about(flow)["keys"]["server_public_key_hex"])
    for flow in FLOWS
    for one in recorded(flow)
    if b"HS_SIGNED" in one.message.credential
]
REPLY = Message(1, 100, b"no such handle", session_id=0x12345678, request_id=0x9ABCDEF0)
VERSIONS = [Version(5, 0), *(Version(2, minor) for minor in range(12))]


@cache
def keys() -> tuple[PrivateKeyObject, ...]:
    return rsa.generate_private_key(65537, 1024), dsa.generate_private_key(1024)


def of_version(version: Version) -> Message:
    return replace(REPLY, major=version.major, minor=version.minor)


@pytest.mark.parametrize(
    ("case", "key_hex"), SIGNED_BY_LIBRARY, ids=[case["id"] for case, _ in SIGNED_BY_LIBRARY]
)
def test_signatures_of_the_library_hold(case: dict[str, Any], key_hex: str) -> None:
    message = decode_message(bytes.fromhex(case["hex"]))
    key = load_public_key(bytes.fromhex(key_hex))

    assert verify_message(message, key)
    assert not verify_message(replace(message, body=message.body + b"!"), key)
    assert not verify_message(message, keys()[0].public_key())


@pytest.mark.parametrize("case", cases("credentials"), ids=case_id)
def test_the_hash_is_the_one_the_library_takes(case: dict[str, Any]) -> None:
    message = decode_message(bytes.fromhex(case["hex"]))
    kinds = [key for key, kind in zip(keys(), ("rsa", "dsa"), strict=True) if kind in case["id"]]

    for key in kinds:
        name = decode_credential(message.credential).hash_name
        assert signature_hash(key, message.version) == name


def test_recorded_replies_to_session_set_ups_are_signed() -> None:
    assert len(RECORDED) == 4
    for message, key_hex in RECORDED:
        assert verify_message(message, load_public_key(bytes.fromhex(key_hex)))


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_what_is_signed_here_holds_here_and_survives_the_wire(version: Version) -> None:
    for key in keys():
        message = sign_message(of_version(version), key)

        assert verify_message(decode_message(encode_message(message)), key.public_key())
        assert not verify_message(replace(message, body=b"another"), key.public_key())
        assert not verify_message(replace(message, response_code=1), key.public_key())
        assert decode_credential(message.credential).type == SIGNED


def test_rsa_signs_a_message_the_same_way_each_time() -> None:
    key = keys()[0]

    assert sign_message(REPLY, key) == sign_message(REPLY, key)
    assert sign_message(REPLY, key) != sign_message(REPLY, key, counter=1)


def test_the_envelope_is_covered_from_26_on() -> None:
    key = keys()[0]

    for version in VERSIONS:
        message = sign_message(of_version(version), key)
        moved = replace(message, session_id=0x87654321)
        covered = version.major == 2 and version.minor >= 6
        assert verify_message(moved, key.public_key()) is not covered


def test_a_credential_of_old_is_a_signature_too() -> None:
    key = keys()[0]
    message = sign_message(REPLY, key)
    credential = decode_credential(message.credential)
    old = encode_credential(credential._replace(type=b"HS_DSAPUBKEY"))
    mac = encode_credential(credential._replace(type=MAC))

    assert verify_message(replace(message, credential=old), key.public_key())
    assert not verify_message(replace(message, credential=mac), key.public_key())


def test_a_message_without_a_credential_is_not_signed() -> None:
    assert not verify_message(REPLY, keys()[0].public_key())


def test_an_unknown_hash_is_refused() -> None:
    credential = encode_credential(Credential(SIGNED, b"SHA-512", b"signature"))

    with pytest.raises(DecodeError, match="SHA-512"):
        verify_message(replace(REPLY, credential=credential), keys()[0].public_key())


@given(
    st.one_of(
        st.binary(max_size=80),
        st.tuples(
            st.sampled_from([SIGNED, MAC, b"HS_DSAPUBKEY"]),
            st.sampled_from([b"SHA1", b"SHA-256", b"MD5", b"\x02", b"\xff"]),
            st.binary(max_size=140),
        ).map(lambda members: encode_credential(Credential(*members))),
    ),
    st.sampled_from(VERSIONS),
)
def test_arbitrary_credentials_are_wrong_or_refused(credential: bytes, version: Version) -> None:
    message = replace(of_version(version), credential=credential)

    for key in keys():
        with contextlib.suppress(DecodeError):
            assert not verify_message(message, key.public_key())
