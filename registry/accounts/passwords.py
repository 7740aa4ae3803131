"""Passwords that people choose: which ones are taken, and argon2id to keep and check them.

Hashing takes a core for tens of milliseconds, so it is done in a thread of its own that yields to
everything else the machine has to do, and only so many may wait for it.
"""

from __future__ import annotations

import hmac
import os
import unicodedata
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from registry.accounts.account import digest
from registry.errors import InvalidValue
from registry.workers import Workers

MIN_LENGTH: Final = 10
MAX_LENGTH: Final = 128
#: Argon2id (RFC 9106): passes, KiB of memory, lanes. 25 ms on a core of 2 GHz.
PASSES: Final = 2
MEMORY_KIB: Final = 19_456
LANES: Final = 1
#: Hashes under way and waiting; the last of them waits a second.
MAX_WAITING: Final = 32
#: Secrets that documents show, and the long ones that are tried first (in lower case).
KNOWN: Final = frozenset(
    {
        "0123456789",
        "1234567890",
        "12345678910",
        "1q2w3e4r5t",
        "administrator",
        "another secret",
        "changeme",
        "correct horse battery staple",
        "idnode",
        "password",
        "password123",
        "password1234",
        "qwertyuiop",
        "secret",
    }
)

_HASHER: Final = PasswordHasher(PASSES, MEMORY_KIB, LANES)
_ARGON2: Final = b"$argon2"


def check_password(password: str, username: str) -> None:
    """Raise InvalidValue unless the account may have the password; the message says the rule."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        rule = f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters"
    elif password.casefold() == username.casefold():
        rule = "a password is not the username"
    elif is_known(password):
        rule = "a password is not one that documents show or that is tried first"
    else:
        return
    raise InvalidValue(rule, field="password")


def is_known(secret: str) -> bool:
    """Whether everybody knows the secret."""
    return secret.casefold() in KNOWN


class Passwords:
    """Hashes and checks passwords off the event loop; closed by `close`."""

    def __init__(self, max_waiting: int = MAX_WAITING) -> None:
        self._workers = Workers("passwords", max_waiting=max_waiting)

    async def hashed(self, password: str, username: str) -> bytes:
        """What is stored of a chosen password. Raises InvalidValue (the policy), Overloaded."""
        check_password(password, username)
        return (await self._workers.run(_HASHER.hash, _composed(password))).encode()

    async def holds(self, password: str, stored: bytes | None) -> bool:
        """Whether the password is the one stored, None for an account that is not there.

        Whatever is stored, the work is the same. Raises Overloaded.
        """
        return await self._workers.run(self._check, password, stored)

    def close(self) -> None:
        self._workers.close()

    def _check(self, password: str, stored: bytes | None) -> bool:
        nobody = _nobody()
        chosen = stored is not None and stored.startswith(_ARGON2)
        matches = _matches(password, stored if chosen and stored else nobody)
        if chosen or stored is None:
            return matches and chosen
        return hmac.compare_digest(stored, digest(password))


@cache
def _nobody() -> bytes:
    """What there is to check where there is no such account: made once, for whoever asks first."""
    return _HASHER.hash(os.urandom(16)).encode()


def _matches(password: str, stored: bytes) -> bool:
    try:
        return _HASHER.verify(stored, _composed(password))
    except (Argon2Error, InvalidHashError):
        return False


def _composed(password: str) -> str:
    """The same text whatever keyboard it was typed on (NFC, RFC 8265 section 4)."""
    return unicodedata.normalize("NFC", password)
