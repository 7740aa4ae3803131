from __future__ import annotations

import contextlib

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from registry.values.key import PublicKey, encode_public_key
from registry.values.key_objects import (
    dump_key_file,
    dump_private_key,
    dump_public_key,
    load_key_file,
    load_private_key,
    load_public_key,
)
from tests.support.handle_vectors import case_id, cases

KEYS = cases("public_keys")


@pytest.mark.parametrize("case", KEYS, ids=case_id)
def test_public_keys_are_those_of_peers(case):
    data = bytes.fromhex(case["handle_binary_hex"])
    key = load_public_key(data)
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert der.hex() == case["x509_spki_der_hex"]
    assert dump_public_key(key) == data


@pytest.mark.parametrize("case", KEYS, ids=case_id)
def test_private_keys_are_those_of_peers(case):
    data = bytes.fromhex(case["private_key_handle_binary_hex"])
    key = load_private_key(data)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert der.hex() == case["private_key_pkcs8_der_hex"]
    assert dump_private_key(key) == data
    assert dump_public_key(key.public_key()).hex() == case["handle_binary_hex"]


@pytest.mark.parametrize("case", KEYS, ids=case_id)
def test_key_files_are_those_of_peers(case):
    data = bytes.fromhex(case["private_key_file_unencrypted_hex"])
    assert dump_key_file(load_key_file(data)) == data


@pytest.mark.parametrize(
    "key",
    [
        PublicKey("RSA", {"n": 0, "e": 0}),
        PublicKey("DSA", {"y": 1, "p": 23, "q": 11, "g": 2}),
        PublicKey("DH", {"y": 1, "p": 23, "g": 2}),
    ],
)
def test_a_key_that_cannot_verify_is_refused(key):
    with pytest.raises(DecodeError, match=key.kty):
        load_public_key(encode_public_key(key))


def test_an_encrypted_key_file_is_refused():
    data = bytes.fromhex(KEYS[0]["private_key_file_unencrypted_hex"])
    with pytest.raises(DecodeError, match="encrypted"):
        load_key_file(b"\0\0\0\x04" + data[4:])


def test_offsets_in_a_key_file_count_from_its_start():
    data = bytes.fromhex(KEYS[0]["private_key_file_unencrypted_hex"])
    with pytest.raises(DecodeError) as caught:
        load_key_file(data + b"\0")
    assert caught.value.offset == len(data)


PRIVATE = [bytes.fromhex(case["private_key_handle_binary_hex"]) for case in KEYS]
PUBLIC = [bytes.fromhex(case["handle_binary_hex"]) for case in KEYS]


@given(st.sampled_from(PRIVATE + PUBLIC), st.data())
def test_damaged_keys_are_read_or_refused(data, draw):
    damaged = bytearray(data)
    damaged[draw.draw(st.integers(0, len(data) - 1))] ^= draw.draw(st.integers(1, 255))
    load = load_public_key if data in PUBLIC else load_private_key
    with contextlib.suppress(DecodeError):
        load(bytes(damaged))


@given(st.binary(max_size=60))
def test_any_octets_are_read_or_refused(data):
    for load in (load_public_key, load_private_key, load_key_file):
        with contextlib.suppress(DecodeError):
            load(data)
