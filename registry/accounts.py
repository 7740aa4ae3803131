"""Accounts and the secrets they are known by.

Passwords and tokens made here are random, so a plain SHA-256 digest of them is all that is kept.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from registry.authorisation import Principal, Role

#: Octets of randomness in a generated password and in a token.
_PASSWORD_SIZE: Final = 18
_TOKEN_SIZE: Final = 32


class Account(NamedTuple):
    """A stored account of the node's staff (`prefix`) or of an enterprise.

    `password_digest` is the SHA-256 of a random password. `enterprise` is the enterprise's number;
    its account acts for the prefixes of that besides its own `prefix`, which may be empty.
    """

    username: str
    role: Role
    prefix: str
    password_digest: bytes
    enterprise: str = ""


class AppKey(NamedTuple):
    """A stored token of an account; `digest` is its SHA-256."""

    digest: bytes
    username: str


@dataclass(frozen=True, slots=True)
class IssuedAccount:
    """A new account with its secrets in the clear, which are shown once and never stored."""

    account: Account
    app_key: AppKey
    password: str
    token: str


class AppKeyDirectory(Protocol):
    """Where tokens are looked up by digest."""

    async def principal(self, digest: bytes) -> Principal | None: ...


def digest(secret: str) -> bytes:
    """What is stored of a random secret: 32 octets of SHA-256."""
    return hashlib.sha256(secret.encode()).digest()


def issue_account(username: str, role: Role, prefix: str) -> IssuedAccount:
    """A new account with a random password and a random token that does not expire."""
    password = secrets.token_urlsafe(_PASSWORD_SIZE)
    token = secrets.token_urlsafe(_TOKEN_SIZE)
    return IssuedAccount(
        Account(username, role, prefix, digest(password)),
        AppKey(digest(token), username),
        password,
        token,
    )


async def authenticate(directory: AppKeyDirectory, token: str) -> Principal | None:
    """The principal a token belongs to, None if it is nobody's.

    Tokens are found by their digest, so the time this takes says nothing about a near miss.
    """
    return await directory.principal(digest(token))
