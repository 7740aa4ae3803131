from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError, InvalidValue
from registry.values.json_members import Members
from registry.values.key import (
    PublicKey,
    decode_public_key,
    encode_public_key,
    public_key_from_json,
    public_key_to_json,
)
from tests.support.handle_vectors import case_id, cases

MEMBERS = {"RSA": "ne", "DSA": "ypqg", "DH": "ypg"}
numbers = st.integers(0, 1 << 300)
keys = st.sampled_from(sorted(MEMBERS)).flatmap(
    lambda kty: st.fixed_dictionaries(dict.fromkeys(MEMBERS[kty], numbers)).map(
        lambda members: PublicKey(kty, members)
    )
)
RSA = bytes.fromhex(cases("public_keys")[0]["handle_binary_hex"])


@pytest.mark.parametrize("case", cases("public_keys"), ids=case_id)
def test_reads_and_writes_what_peers_write(case):
    data = bytes.fromhex(case["handle_binary_hex"])
    key = decode_public_key(data)
    assert encode_public_key(key) == data
    assert list(public_key_to_json(key).items()) == list(case["json_api_form"].items())
    assert public_key_from_json(Members(case["json_api_form"])) == key


@given(keys)
def test_both_forms_are_read_back(key):
    assert decode_public_key(encode_public_key(key)) == key
    assert public_key_from_json(Members(public_key_to_json(key))) == key


@given(st.one_of(st.binary(max_size=60), st.binary(max_size=60).map((RSA[:17]).__add__)))
def test_any_octets_are_read_or_refused(data):
    with contextlib.suppress(DecodeError):
        key = decode_public_key(data)
        assert decode_public_key(encode_public_key(key)) == key


def test_a_number_with_its_highest_bit_set_has_a_zero_before_it():
    data = encode_public_key(PublicKey("DH", {"y": 0x80, "p": 0x7F, "g": 0}))
    assert data == b"\0\0\0\x0aDH_PUB_KEY\0\0" + b"\0\0\0\x02\x00\x80\0\0\0\x01\x7f\0\0\0\x01\0"


def test_the_empty_string_after_an_rsa_key_may_be_missing():
    assert decode_public_key(RSA[:-4]) == decode_public_key(RSA)


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"\0\0\0\x0aEC_PUB_KEY\0\0", 4),
        (RSA[:16], 15),
        (RSA[:20], 17),
        (RSA[:-5], 28),
        (RSA + b"\0", len(RSA)),
        (RSA[:-1], len(RSA) - 4),
    ],
)
def test_refusal_names_the_octet(data, offset):
    with pytest.raises(DecodeError) as caught:
        decode_public_key(data)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({}, "kty"),
        ({"kty": "EC"}, "kty"),
        ({"kty": "RSA", "n": "AQAB"}, "e"),
        ({"kty": "rsa", "n": "A", "e": "AQAB"}, "n"),
        ({"kty": "RSA", "n": "é", "e": "AQAB"}, "n"),
    ],
)
def test_json_refusal_names_the_member(form, field):
    with pytest.raises(InvalidValue) as caught:
        public_key_from_json(Members(form))
    assert caught.value.field == field
