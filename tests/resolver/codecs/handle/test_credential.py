from __future__ import annotations

import contextlib
import hashlib
import hmac
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from registry.values.site import decode_site
from registry.values.wire import WireReader
from resolver.codecs.handle.credential import (
    MAC,
    SIGNED,
    Credential,
    covered_octets,
    decode_credential,
    encode_credential,
)
from resolver.codecs.handle.fragments import Reassembler
from resolver.codecs.handle.message import Message, decode_message
from tests.support.handle_vectors import case_id, cases

U8, U16, U32 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32))
short = st.binary(max_size=12)
credentials = st.builds(Credential, short, short, short, U32, short, U16, U8, U8)
SIGNED_CASES = {case["id"]: case for case in cases("signed_messages")}
HASHES: dict[bytes, hashes.HashAlgorithm] = {b"SHA-256": hashes.SHA256(), b"SHA1": hashes.SHA1()}


def rsa_key(octets: bytes) -> rsa.RSAPublicKey:
    reader = WireReader(octets)
    assert reader.string("kind") == b"RSA_PUB_KEY"
    reader.take(2, "flags")
    exponent, modulus = (int.from_bytes(reader.string("number"), "big") for _ in range(2))
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def verify(key: rsa.RSAPublicKey, credential: Credential, covered: bytes) -> None:
    algorithm = HASHES[credential.hash_name]
    key.verify(credential.signature, covered, padding.PKCS1v15(), algorithm)


@pytest.mark.parametrize("case", SIGNED_CASES.values(), ids=case_id)
def test_credentials_of_the_library_are_read_and_written_again(case: dict[str, Any]) -> None:
    octets = bytes.fromhex(case["credential_hex"])[4:]
    credential = decode_credential(octets)

    assert encode_credential(credential) == octets
    assert credential.type == (MAC if "mac" in case["id"] else SIGNED)
    assert credential.counter == case["body"].get("session_counter", 0)


@pytest.mark.parametrize("name", ["mac-210", "mac-211"])
def test_a_mac_covers_versions_ids_counter_header_and_body(name: str) -> None:
    case = SIGNED_CASES[name]
    message = decode_message(bytes.fromhex(case["hex"]))
    credential = decode_credential(message.credential)
    key = bytes.fromhex(case["body"]["session_key_hex"])

    covered = covered_octets(message, credential.counter)
    assert hmac.digest(key, covered, "sha256") == credential.signature


def test_a_mac_up_to_24_covers_header_and_body_between_the_key() -> None:
    case = SIGNED_CASES["mac-24"]
    message = decode_message(bytes.fromhex(case["hex"]))
    credential = decode_credential(message.credential)
    key = bytes.fromhex(case["body"]["session_key_hex"])

    covered = key + covered_octets(message, credential.counter) + key
    assert hashlib.sha1(covered, usedforsecurity=False).digest() == credential.signature


@pytest.mark.parametrize("name", ["signed-rsa-211", "signed-rsa-21"])
def test_signatures_of_the_library_hold(name: str) -> None:
    case = SIGNED_CASES[name]
    message = decode_message(bytes.fromhex(case["hex"]))
    credential = decode_credential(message.credential)
    key = rsa_key(bytes.fromhex(case["body"]["server_public_key_hex"]))

    verify(key, credential, covered_octets(message, credential.counter))


@pytest.mark.parametrize(
    "case", [case for case in cases("wire_udp") if "certified" in case["id"]], ids=case_id
)
def test_captured_signatures_hold_in_every_version(case: dict[str, Any]) -> None:
    packets = Reassembler()
    whole = [packets.feed("peer", bytes.fromhex(one), 0) for one in case["response_packets_hex"]]
    message = decode_message(whole[-1] or b"")
    credential = decode_credential(message.credential)

    verify(server_key(), credential, covered_octets(message, credential.counter))


def server_key() -> rsa.RSAPublicKey:
    """The key of the captured server, as its site information gives it."""
    site_info = next(case for case in cases("wire_udp") if case["id"] == "udp-get-site-info")
    message = decode_message(bytes.fromhex(site_info["response_packets_hex"][0]))
    return rsa_key(decode_site(message.body).servers[0].public_key)


def test_the_suggested_version_is_covered_from_28_on() -> None:
    message = Message(1, body=b"b", session_id=1, request_id=2, major=2, minor=7)
    tail = bytes.fromhex("000000010000000200000003") + message.header_and_body

    assert covered_octets(message, 3) == b"\x02\x07" + tail
    newer = replace(message, minor=8)
    assert covered_octets(newer, 3) == b"\x02\x08\x02\x0b" + tail


@given(credentials)
def test_every_credential_survives_the_wire(credential: Credential) -> None:
    assert decode_credential(encode_credential(credential)) == credential


@given(st.binary(max_size=80))
def test_arbitrary_octets_raise_nothing_but_decode_errors(octets: bytes) -> None:
    with contextlib.suppress(DecodeError):
        assert encode_credential(decode_credential(octets)) == octets


@pytest.mark.parametrize("end", [b"", b"\0"])
def test_lengths_that_contradict_each_other_are_refused(end: bytes) -> None:
    octets = encode_credential(Credential(MAC, b"h", b"sig"))
    damaged = octets[:-1] if not end else octets + end
    with pytest.raises(DecodeError, match="signature information"):
        decode_credential(damaged)
