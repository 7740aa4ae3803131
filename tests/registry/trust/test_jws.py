from __future__ import annotations

import base64
import json
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from registry.trust import jws
from tests.support.trust import key_pair


def encoded(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def compact(header: object, payload: bytes = b"{}", signature: bytes = b"x") -> bytes:
    return b".".join(map(encoded, (json.dumps(header).encode(), payload, signature)))


@pytest.mark.parametrize(("name", "algorithm"), [("rsa", "RS256"), ("dsa", "DS256")])
def test_what_is_signed_verifies(name, algorithm):
    key = key_pair(name)
    read = jws.decode(jws.sign(b'{"a":1}', key))
    assert (read.algorithm, read.payload) == (algorithm, b'{"a":1}')
    assert jws.verifies(read, key.public_key())
    assert not jws.verifies(read, key_pair(f"{name} of another").public_key())


@pytest.mark.parametrize("name", ["rsa", "dsa"])
def test_one_changed_octet_breaks_it(name):
    text = jws.sign(b'{"a":1}', key_pair(name))
    header, payload, signature = text.split(b".")
    changed = encoded(b'{"a":2}')
    assert not jws.verifies(
        jws.decode(b".".join((header, changed, signature))), key_pair(name).public_key()
    )
    assert not jws.verifies(
        jws.decode(b".".join((header, payload, encoded(b"")))), key_pair(name).public_key()
    )


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "HS256"},
        {"alg": "RS384"},
        {"alg": "RS512"},
        {"alg": "DSA"},
        {"alg": "rs256"},
        {"alg": ""},
        {"alg": None},
        {"alg": ["RS256"]},
        {},
        [],
        "RS256",
        {"alg": "RS256", "crit": ["b64"]},
    ],
    ids=str,
)
def test_other_headers_are_refused(header):
    with pytest.raises(DecodeError):
        jws.decode(compact(header))


def test_members_that_need_not_be_understood_are_passed_over():
    assert jws.decode(compact({"typ": "JWT", "alg": "RS256", "kid": "1"})).algorithm == "RS256"


def test_the_header_does_not_choose_the_algorithm_of_a_key():
    """Signed well with an RSA key, but called DS256, and the other way round."""
    for name, called in (("rsa", "DS256"), ("dsa", "RS256")):
        key = key_pair(name)
        signed = compact({"alg": called}).rpartition(b".")[0]
        if isinstance(key, rsa.RSAPrivateKey):
            signature = key.sign(signed, padding.PKCS1v15(), SHA256())
        else:
            assert isinstance(key, dsa.DSAPrivateKey)
            signature = key.sign(signed, SHA256())
        read = jws.decode(signed + b"." + encoded(signature))
        assert not jws.verifies(read, key.public_key())


def test_a_weaker_hash_does_not_verify():
    key = key_pair("rsa")
    assert isinstance(key, rsa.RSAPrivateKey)
    signed = compact({"alg": "RS256"}).rpartition(b".")[0]
    signature = key.sign(signed, padding.PKCS1v15(), SHA1())
    assert not jws.verifies(jws.decode(signed + b"." + encoded(signature)), key.public_key())


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b".",
        b"..",
        b"a.b",
        b"a.b.c.d",
        compact({"alg": "RS256"}) + b"=",
        compact({"alg": "RS256"}) + b"\n",
        compact({"alg": "RS256"}, signature=b"x")[:-1] + b"h",  # bits behind the last octet
        compact({"alg": "RS256"}).replace(b".", b"+.", 1),
        b"%s.e30.eA" % encoded(b"[" * 100_000),
        b"%s.e30.eA" % encoded(b'{"alg":"\xff"}'),
    ],
)
def test_what_is_no_compact_form_is_refused(text):
    with pytest.raises(DecodeError):
        jws.decode(text)


@given(st.binary(max_size=200) | st.lists(st.binary(max_size=60), max_size=4).map(b".".join))
def test_any_octets_are_decoded_or_refused(octets):
    with suppress(DecodeError):
        jws.decode(octets)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("alg"), inner),
    max_leaves=6,
)


@given(json_values, st.binary(max_size=40), st.binary(max_size=40))
def test_any_header_is_read_or_refused(header, payload, signature):
    try:
        read = jws.decode(compact(header, payload, signature))
    except DecodeError:
        return
    assert (read.payload, read.signature) == (payload, signature)
