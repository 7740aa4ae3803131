"""JSON Web Signatures in the compact form (RFC 7515 section 7.1), made and checked.

Two algorithms exist here, each bound to one kind of key: RS256 (RFC 7518 section 3.3) and DS256,
the Handle system's own name for SHA-256 with DSA. The header is compared with the key at hand and
never chooses anything; `none`, MACs and extensions marked critical are refused on sight.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from registry.errors import DecodeError
from registry.values.key_objects import PrivateKeyObject, PublicKeyObject

RS256: Final = "RS256"
DS256: Final = "DS256"
#: What it costs to check a signature grows with the key; larger ones are not looked at.
MAX_KEY_BITS: Final = 8192
_BASE64URL: Final = re.compile(rb"[A-Za-z0-9_-]*")


class _Header(msgspec.Struct):
    alg: str
    crit: Any = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class Jws:
    """A signature taken apart, not checked: `signed` are the octets that it is over."""

    algorithm: str
    payload: bytes
    signature: bytes
    signed: bytes


def sign(payload: bytes, key: PrivateKeyObject) -> bytes:
    """The payload and its signature in the compact form."""
    algorithm = algorithm_of(key)
    header = b'{"alg":"%s"}' % algorithm.encode()
    signed = _to_base64url(header) + b"." + _to_base64url(payload)
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(signed, padding.PKCS1v15(), SHA256())
    else:
        signature = key.sign(signed, SHA256())
    return signed + b"." + _to_base64url(signature)


def decode(text: bytes) -> Jws:
    """Take a compact form apart. Raises DecodeError."""
    parts = text.split(b".")
    if len(parts) != 3:
        raise DecodeError(f"a compact JWS has three parts, here are {len(parts)}")
    offsets = (0, len(parts[0]) + 1, len(parts[0]) + len(parts[1]) + 2)
    header, payload, signature = map(_from_base64url, parts, offsets)
    return Jws(_algorithm(header), payload, signature, text[: offsets[2] - 1])


def verifies(jws: Jws, key: PublicKeyObject) -> bool:
    """Whether the signature was made with the private half of `key`, by that key's algorithm."""
    if jws.algorithm != algorithm_of(key) or key.key_size > MAX_KEY_BITS:
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(jws.signature, jws.signed, padding.PKCS1v15(), SHA256())
        else:
            key.verify(jws.signature, jws.signed, SHA256())
    except (InvalidSignature, ValueError):  # ValueError: numbers that are no key
        return False
    return True


def algorithm_of(key: PublicKeyObject | PrivateKeyObject) -> str:
    """The one algorithm that a key signs with."""
    return RS256 if isinstance(key, rsa.RSAPublicKey | rsa.RSAPrivateKey) else DS256


def _algorithm(header: bytes) -> str:
    try:
        read = msgspec.json.decode(header, type=_Header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"the JWS header cannot be read: {error}") from None
    if read.crit is not msgspec.UNSET:
        raise DecodeError("the JWS header has extensions that must be understood")
    if read.alg not in (RS256, DS256):
        raise DecodeError(f"JWS algorithm {read.alg[:20]!r} is not accepted")
    return read.alg


def _to_base64url(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def _from_base64url(text: bytes, offset: int) -> bytes:
    """Strictly as `_to_base64url` writes it, so that a signature has one spelling."""
    try:
        if not _BASE64URL.fullmatch(text):
            raise ValueError
        octets = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        raise DecodeError("not base64url without padding", offset) from None
    if _to_base64url(octets) != text:
        raise DecodeError("base64url with bits left over", offset)
    return octets
