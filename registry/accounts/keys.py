"""Public keys that programs log in with: which ones are taken, and what they sign.

RSA, 2048 to 8192 bits   PKCS#1 v1.5 with SHA-256 (RFC 8017)
EC on P-256              ECDSA with SHA-256, DER (FIPS 186-5)
Ed25519                  RFC 8032
"""

from __future__ import annotations

from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from registry.errors import InvalidValue

ProgramKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

#: Characters of a key in PEM; an RSA key of 8192 bits has 1,500.
MAX_PEM: Final = 4096
RSA_BITS: Final = range(2048, 8193)
#: A larger exponent makes verifying expensive and protects nobody.
_MAX_EXPONENT_BITS: Final = 32
_TAKEN: Final = "RSA of 2048 to 8192 bits, EC on P-256 or Ed25519"


def read_key(pem: str) -> ProgramKey:
    """A public key in PEM (SubjectPublicKeyInfo). Raises InvalidValue."""
    try:
        key = load_pem_public_key(pem.encode()[:MAX_PEM])
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidValue("this is not a public key in PEM", field="public_key") from None
    if not _is_taken(key):
        raise InvalidValue(f"a key that is taken is {_TAKEN}", field="public_key")
    assert isinstance(key, ProgramKey)
    return key


def _is_taken(key: object) -> bool:
    match key:
        case rsa.RSAPublicKey(key_size=bits):
            return bits in RSA_BITS and key.public_numbers().e.bit_length() <= _MAX_EXPONENT_BITS
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()) | ed25519.Ed25519PublicKey():
            return True
    return False


def kind(key: ProgramKey) -> str:
    """What a key is, in a word or two."""
    match key:
        case rsa.RSAPublicKey():
            return f"RSA {key.key_size}"
        case ec.EllipticCurvePublicKey():
            return "EC P-256"
    return "Ed25519"


def write_key(key: ProgramKey) -> str:
    """The key in PEM, however it was written before."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def sign(key: PrivateKeyTypes, text: bytes) -> bytes:
    """A signature that `signature_holds` accepts. Raises ValueError for another kind of key."""
    match key:
        case rsa.RSAPrivateKey():
            return key.sign(text, padding.PKCS1v15(), hashes.SHA256())
        case ec.EllipticCurvePrivateKey():
            return key.sign(text, ec.ECDSA(hashes.SHA256()))
        case ed25519.Ed25519PrivateKey():
            return key.sign(text)
    raise ValueError(f"a key is {_TAKEN}")


def signature_holds(key: ProgramKey, signature: bytes, signed: bytes) -> bool:
    """Whether the owner of the key signed these octets."""
    try:
        match key:
            case rsa.RSAPublicKey():
                key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
            case ec.EllipticCurvePublicKey():
                key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
            case _:
                key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True
