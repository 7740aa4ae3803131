"""Signatures by RSA keys (PKCS#1 v1.5) and DSA keys (DER), their hash named as Handle peers do.

The name is a word (`SHA-256`, `SHA1`) or one octet (1 MD5, 2 SHA-1, 3 SHA-256; RFC 3652 section
2.2.3). What is signed always holds something of the verifier's choosing, so that a collision in an
old hash forges nothing.

    make_signature(key, hash_name, data) -> bytes
    signature_holds(key, hash_name, signature, data) -> bool        raises DecodeError
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from registry.errors import DecodeError
from registry.values.key_objects import PrivateKeyObject, PublicKeyObject

SHA1: Final = b"SHA1"
SHA256: Final = b"SHA-256"

_HASHES: Final[dict[bytes, hashes.HashAlgorithm]] = {
    **dict.fromkeys((b"\x01", b"MD5"), hashes.MD5()),
    **dict.fromkeys((b"\x02", SHA1, b"SHA-1"), hashes.SHA1()),
    **dict.fromkeys((b"\x03", SHA256, b"SHA256"), hashes.SHA256()),
}


def make_signature(key: PrivateKeyObject, hash_name: bytes, data: bytes) -> bytes:
    """The signature over `data`. Raises DecodeError for an unknown hash."""
    algorithm = _hash_named(hash_name)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), algorithm)
    return key.sign(data, algorithm)


def signature_holds(key: PublicKeyObject, hash_name: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the key's owner signed `data`. Raises DecodeError for an unknown hash."""
    algorithm = _hash_named(hash_name)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), algorithm)
        else:
            key.verify(signature, data, algorithm)
    except InvalidSignature:
        return False
    return True


def _hash_named(name: bytes) -> hashes.HashAlgorithm:
    algorithm = _HASHES.get(name)
    if algorithm is None:
        raise DecodeError(f"hash {name[:20]!r} is not known")
    return algorithm
