"""Keys of programs: which are taken, and that only they sign."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from registry.accounts.keys import kind, read_key, sign, signature_holds, write_key
from registry.errors import InvalidValue

PRIVATE: dict[str, Any] = {
    "RSA 2048": rsa.generate_private_key(65537, 2048),
    "EC P-256": ec.generate_private_key(ec.SECP256R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
}
OTHERS: dict[str, Any] = {
    "RSA 1024": rsa.generate_private_key(65537, 1024),
    "EC P-384": ec.generate_private_key(ec.SECP384R1()),
    "EC secp256k1": ec.generate_private_key(ec.SECP256K1()),
    "DSA": dsa.generate_private_key(1024),
    "Ed448": ed448.Ed448PrivateKey.generate(),
}


def pem(private: Any) -> str:
    public = private.public_key()
    return str(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


@pytest.mark.parametrize("name", PRIVATE)
def test_keys_that_are_taken(name: str) -> None:
    private = PRIVATE[name]
    key = read_key(pem(private))
    assert (kind(key), write_key(key)) == (name, pem(private))
    signature = sign(private, b"text")
    assert signature_holds(key, signature, b"text")
    assert not signature_holds(key, signature, b"another text")
    for other in PRIVATE.keys() - {name}:
        assert not signature_holds(read_key(pem(PRIVATE[other])), signature, b"text")


@pytest.mark.parametrize("name", OTHERS)
def test_keys_that_are_not(name: str) -> None:
    with pytest.raises(InvalidValue, match="RSA of 2048 to 8192 bits"):
        read_key(pem(OTHERS[name]))


def test_an_exponent_that_makes_work_is_not_taken() -> None:
    numbers = PRIVATE["RSA 2048"].public_key().public_numbers()
    slow = rsa.RSAPublicNumbers((1 << 64) + 1, numbers.n).public_key()
    text = slow.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(InvalidValue):
        read_key(text)


def test_others_do_not_sign() -> None:
    with pytest.raises(ValueError, match="a key is RSA"):
        sign(OTHERS["DSA"], b"text")


@given(st.text(max_size=200))
def test_no_other_text_is_a_key(text: str) -> None:
    with pytest.raises(InvalidValue, match="not a public key"):
        read_key(text)


@given(st.binary(max_size=300), st.sampled_from(sorted(PRIVATE)))
def test_no_other_octets_are_a_signature(octets: bytes, name: str) -> None:
    assert not signature_holds(read_key(pem(PRIVATE[name])), octets, b"text")
