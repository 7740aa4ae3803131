"""Digests that only who knows a secret can make: in challenge answers, session MACs, web log-ins.

An octet or a word names the form (RFC 3652 sections 2.2.3 and 3.5.1, protocol 2.7): 1 MD5, 2 SHA-1
and 3 SHA-256 have the secret at both ends of the data; 12h and 13h are HMACs; 22h is an HMAC under
a key that PBKDF2 stretched from the secret.

    keyed_digest(code, secret, data) -> bytes                        raises DecodeError
    code_of(name) -> int                                             raises DecodeError
    stretched_digest(secret, data, stretching) -> bytes              raises DecodeError
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final, NamedTuple

from registry.errors import DecodeError

MD5, SHA1, SHA256 = 1, 2, 3
HMAC_SHA1, HMAC_SHA256 = 0x12, 0x13
PBKDF2_HMAC_SHA1: Final = 0x22

#: Most rounds of HMAC for one digest: a tenth of a second, ten times what peers ask for.
MAX_ROUNDS: Final = 100_000
_BLOCK_BITS: Final = 160

_BOTH_ENDS: Final = {MD5: "md5", SHA1: "sha1", SHA256: "sha256"}
_HMACS: Final = {HMAC_SHA1: "sha1", HMAC_SHA256: "sha256"}
_CODES: Final = {
    b"MD5": MD5,
    b"SHA1": SHA1,
    b"SHA256": SHA256,
    b"HMACSHA1": HMAC_SHA1,
    b"HMACSHA256": HMAC_SHA256,
    b"PBKDF2HMACSHA1": PBKDF2_HMAC_SHA1,
    b"PBKDF2WITHHMACSHA1": PBKDF2_HMAC_SHA1,
}


class Stretching(NamedTuple):
    """How PBKDF2 makes a key of `bits` bits; the defaults are what the reference client asks for.

    Its salts have 16 octets.
    """

    salt: bytes
    iterations: int = 10_000
    bits: int = _BLOCK_BITS


def code_of(name: bytes) -> int:
    """The code of a form named by its octet or by a word, whatever its case and hyphens.

    Raises DecodeError.
    """
    if len(name) == 1:
        return name[0]
    code = _CODES.get(name.upper().replace(b"-", b""))
    if code is None:
        raise DecodeError(f"digest {name[:20]!r} is not known")
    return code


def keyed_digest(code: int, secret: bytes, data: bytes) -> bytes:
    """The digest of a form without parameters. Raises DecodeError for any other code."""
    if code in _HMACS:
        return hmac.digest(secret, data, _HMACS[code])
    if code in _BOTH_ENDS:
        return hashlib.new(_BOTH_ENDS[code], secret + data + secret, usedforsecurity=False).digest()
    raise DecodeError(f"digest code {code:#04x} is not known")


def stretched_digest(secret: bytes, data: bytes, stretching: Stretching) -> bytes:
    """The HMAC-SHA1 under the stretched secret; takes up to MAX_ROUNDS rounds and frees the GIL.

    Raises DecodeError where the parameters make no key or cost too much.
    """
    salt, iterations, bits = stretching
    if iterations < 1 or bits < 8 or bits % 8:
        raise DecodeError(f"PBKDF2 with {iterations} iterations makes no key of {bits} bits")
    if iterations * -(-bits // _BLOCK_BITS) > MAX_ROUNDS:
        raise DecodeError(f"PBKDF2 with {iterations} iterations for {bits} bits costs too much")
    # Peers take each octet of the secret for a character and PBKDF2 its UTF-8.
    password = secret.decode("latin-1").encode()
    key = hashlib.pbkdf2_hmac("sha1", password, salt, iterations, bits // 8)
    return hmac.digest(key, data, "sha1")
