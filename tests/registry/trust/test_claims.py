from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from registry.schemes.handle import parse
from registry.trust.claims import (
    CertificateClaims,
    SignatureClaims,
    ValueName,
    decode_claims,
    public_key,
    value_name,
)
from registry.values.key import public_key_to_json
from registry.values.key_objects import public_numbers
from tests.support.trust import key_pair

CERTIFICATE = {"perms": [{"perm": "everything"}], "publicKey": {}, "iss": "1:a/b", "sub": "1:a/b"}
SIGNATURE = {"digests": {"alg": "SHA-256", "digests": []}, "iss": "300:0.NA/88", "sub": "88/x"}


def certificate(**members: object) -> CertificateClaims:
    return decode_claims(json.dumps({**CERTIFICATE, **members}).encode(), CertificateClaims)


@pytest.mark.parametrize(
    ("text", "index", "key"),
    [
        ("300:0.NA/88", 300, "0.NA/88"),
        ("0.na/88", 0, "0.NA/88"),
        ("88.901/a:b", 0, "88.901/A:B"),
        ("400:88.901/a:b", 400, "88.901/A:B"),
        ("0:0.0/0.0", 0, "0.0/0.0"),
    ],
)
def test_names_of_values(text, index, key):
    assert value_name(text) == ValueName(index, parse(key))


@pytest.mark.parametrize("text", ["/x", "300:/x", "4294967296:0.NA/88", "1:a/\x00"])
def test_what_names_no_value_is_refused(text):
    with pytest.raises(DecodeError):
        value_name(text)


@pytest.mark.parametrize("missing", ["digests", "iss", "sub"])
def test_a_signature_without_what_it_needs_is_refused(missing):
    members = {name: member for name, member in SIGNATURE.items() if name != missing}
    with pytest.raises(DecodeError):
        decode_claims(json.dumps(members).encode(), SignatureClaims)


def test_missing_times_and_chain_are_no_bounds():
    claims = decode_claims(json.dumps(SIGNATURE).encode(), SignatureClaims)
    assert (claims.exp, claims.nbf, claims.iat, claims.chain) == (None, None, None, ())


def test_the_key_of_a_certificate():
    numbers = public_numbers(key_pair("rsa").public_key())
    read, key = public_key(certificate(publicKey=public_key_to_json(numbers)))
    assert read == public_numbers(key) == numbers


@pytest.mark.parametrize(
    "key",
    [
        {},
        {"kty": "RSA"},
        {"kty": "RSA", "n": "AQ", "e": "AQAB"},
        {"kty": "RSA", "n": 5, "e": "AQAB"},
        {"kty": "oct", "k": "AQAB"},
        {"kty": "DH", "y": "AQ", "p": "AQ", "g": "AQ"},
        {"kty": "DSA", "y": "AQ", "p": "AQ", "q": "AQ", "g": "AQ"},
    ],
    ids=str,
)
def test_a_key_that_cannot_verify_is_refused(key):
    with pytest.raises(DecodeError):
        public_key(certificate(publicKey=key))


@given(st.binary(max_size=100), st.sampled_from([SignatureClaims, CertificateClaims]))
def test_any_octets_are_read_or_refused(octets, kind):
    with suppress(DecodeError):
        decode_claims(octets, kind)


@given(st.text())
def test_any_text_names_a_value_or_is_refused(text):
    try:
        name = value_name(text)
    except DecodeError:
        return
    assert value_name(str(name)) == name
