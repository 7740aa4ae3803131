"""Challenges that a program answers by signing: made without remembering any of them.

A nonce says until when it holds, and carries a code (HMAC-SHA-256) that only the node could make,
over that, over its own name and over the key it was made for. So strangers who ask for challenges
fill no table; that a challenge is answered once is up to who keeps the answered ones.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import struct
from typing import Final, NamedTuple

from registry.errors import ChallengeExpired, InvalidCredential

#: Seconds for which a challenge can be answered.
LIFETIME: Final = 60
_RANDOM: Final = 16
_CODE: Final = 16
_HEAD: Final = struct.Struct(f">Q{_RANDOM}s")


class Challenge(NamedTuple):
    """A nonce and the Unix time at which it expires."""

    nonce: str
    expires: int


def signed_text(node: str, key_id: str, nonce: str) -> bytes:
    """What a program signs: a purpose, the node, the key and the nonce, a line each."""
    return f"idnode log-in 1\n{node}\n{key_id}\n{nonce}\n".encode()


class Challenges:
    """The challenges of one node; `secret` is its own, and the same whenever it starts."""

    def __init__(self, node: str, secret: bytes) -> None:
        self.node = node
        self._secret = secret

    def make(self, key_id: str, now: int) -> Challenge:
        """A challenge to whoever has a key."""
        expires = now + LIFETIME
        head = _HEAD.pack(expires, secrets.token_bytes(_RANDOM))
        nonce = base64.urlsafe_b64encode(head + self._code(key_id, head))
        return Challenge(nonce.decode(), expires)

    def check(self, key_id: str, nonce: str, now: int) -> int:
        """When the challenge expires. Raises InvalidCredential for one that was not made here for
        this key, ChallengeExpired."""
        octets = _decoded(nonce)
        head, code = octets[: _HEAD.size], octets[_HEAD.size :]
        if not hmac.compare_digest(code, self._code(key_id, head)):
            raise InvalidCredential("the nonce was not made here for this key")
        expires: int = _HEAD.unpack(head)[0]
        if expires <= now:
            raise ChallengeExpired("the challenge has expired")
        return expires

    def _code(self, key_id: str, head: bytes) -> bytes:
        covered = f"idnode challenge 1\n{self.node}\n{key_id}\n".encode() + head
        return hmac.digest(self._secret, covered, "sha256")[:_CODE]


def _decoded(nonce: str) -> bytes:
    try:
        octets = base64.b64decode(nonce.encode(), b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        octets = b""
    if len(octets) != _HEAD.size + _CODE:
        raise InvalidCredential("this is no nonce that was made here")
    return octets
