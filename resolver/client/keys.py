"""What proves who an administrator is: `index:handle`, and the secret or private key there."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TypeAlias

from registry.values.key_objects import PrivateKeyObject
from resolver.codecs.handle.answers import (
    PUBLIC_KEY,
    SALT_SIZE,
    SECRET_KEY,
    make_key_answer,
    make_secret_answer,
)
from resolver.codecs.handle.bodies.authentication import ChallengeAnswer
from resolver.codecs.handle.versions import Version


@dataclass(frozen=True, slots=True)
class SecretKey:
    """An administrator whose HS_SECKEY value `index` of `handle` holds `secret`."""

    handle: str
    index: int
    secret: bytes = field(repr=False)

    def answer(self, nonce: bytes, request_digest: bytes, version: Version) -> ChallengeAnswer:
        """The answer to a challenge; takes some milliseconds of computing."""
        salt = secrets.token_bytes(SALT_SIZE)
        octets = make_secret_answer(self.secret, nonce, request_digest, version, salt)
        return ChallengeAnswer(SECRET_KEY, self.handle.encode(), self.index, octets)


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """An administrator whose HS_PUBKEY value `index` of `handle` belongs to `key`."""

    handle: str
    index: int
    key: PrivateKeyObject = field(repr=False)

    def answer(self, nonce: bytes, request_digest: bytes, version: Version) -> ChallengeAnswer:
        """The answer to a challenge; takes a millisecond of computing."""
        octets = make_key_answer(self.key, nonce, request_digest, version)
        return ChallengeAnswer(PUBLIC_KEY, self.handle.encode(), self.index, octets)


AdministratorKey: TypeAlias = SecretKey | PrivateKey
