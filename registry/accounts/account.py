"""Accounts and the secrets they are known by: passwords, tokens, keys of programs.

Passwords and tokens made here are random, so a plain SHA-256 digest of them is all that is kept;
passwords that people choose are hashed by `registry.accounts.passwords`.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from registry.authorisation import Principal, Role
from registry.errors import InvalidValue

#: Octets of randomness in a generated password and in a token.
_PASSWORD_SIZE: Final = 18
_TOKEN_SIZE: Final = 32
#: Characters of a token that are kept in the clear, so that its owner can tell it from others.
_SHOWN: Final = 4
#: The form of what a key is named by.
KEY_ID: Final = re.compile(r"[0-9a-f]{16}")
#: A small letter is in it, so that no username is the canonical form of a prefix.
_USERNAME: Final = re.compile(r"(?=.*[a-z])[a-z0-9][a-z0-9._@+-]{1,63}")


class Account(NamedTuple):
    """A stored account of the node's staff (`prefix`) or of an enterprise.

    `password_digest` is the SHA-256 of a random password, or what `registry.accounts.passwords`
    makes of a chosen one. `enterprise` is the enterprise's number; its account acts for the
    prefixes allocated to that, besides its own `prefix`, which may be empty. `disabled` and
    `created` are Unix times in seconds, 0 for an account that is not disabled.
    """

    username: str
    role: Role
    prefix: str
    password_digest: bytes
    enterprise: str = ""
    disabled: int = 0
    created: int = 0

    def __repr__(self) -> str:
        return f"Account({self.username!r}, {self.role}, {self.prefix!r}, {self.enterprise!r})"


class Token(NamedTuple):
    """A stored bearer token of an account: `digest` is its SHA-256, `ending` its last characters.

    `created` and `expires` are Unix times in seconds; 0 for one that does not expire.
    """

    digest: bytes
    username: str
    label: str = ""
    created: int = 0
    expires: int = 0
    ending: str = ""

    @property
    def id(self) -> str:
        """By what its owner names it."""
        return self.digest[:8].hex()

    def __repr__(self) -> str:
        return f"Token({self.id!r}, {self.username!r}, {self.label!r})"


class AccountKey(NamedTuple):
    """A public key (PEM) by which a program proves that it acts for an account."""

    id: str
    username: str
    label: str
    public_key: str
    created: int


class AnsweredChallenge(NamedTuple):
    """A challenge that got its one answer, kept until it expires (Unix time)."""

    nonce: bytes
    expires: int


@dataclass(frozen=True, slots=True)
class IssuedAccount:
    """A new account with its secrets in the clear, which are shown once and never stored."""

    account: Account
    app_key: Token
    password: str
    token: str

    def __repr__(self) -> str:
        return f"IssuedAccount({self.account!r})"


class TokenDirectory(Protocol):
    """Where tokens are looked up by digest."""

    async def principal(self, digest: bytes, now: int) -> Principal | None:
        """Whom a token belongs to that is valid at a Unix time, if the account is enabled."""
        ...


def digest(secret: str) -> bytes:
    """What is stored of a random secret: 32 octets of SHA-256."""
    return hashlib.sha256(secret.encode()).digest()


def is_username(text: str) -> bool:
    """Whether an account may be called so."""
    return _USERNAME.fullmatch(text) is not None


def check_username(username: str) -> None:
    """Raise InvalidValue unless an account may be called so."""
    if not is_username(username):
        raise InvalidValue(
            "a username has 2 to 64 of a-z, 0-9 and . _ @ + -, a letter among them; it begins with"
            " a letter or a digit",
            field="username",
        )


def issue_token(
    username: str, label: str = "", *, now: int = 0, expires: int = 0
) -> tuple[Token, str]:
    """A new random token as it is stored, and in the clear."""
    secret = secrets.token_urlsafe(_TOKEN_SIZE)
    return Token(digest(secret), username, label, now, expires, secret[-_SHOWN:]), secret


def issue_account(
    username: str, role: Role, prefix: str, enterprise: str = "", now: int = 0
) -> IssuedAccount:
    """A new account with a random password and a random token that does not expire."""
    password = secrets.token_urlsafe(_PASSWORD_SIZE)
    app_key, token = issue_token(username, "app key", now=now)
    account = Account(username, role, prefix, digest(password), enterprise, created=now)
    return IssuedAccount(account, app_key, password, token)


def new_key(username: str, label: str, public_key: str, now: int) -> AccountKey:
    """A key of an account, under a new name."""
    return AccountKey(secrets.token_hex(8), username, label, public_key, now)


async def authenticate(directory: TokenDirectory, token: str, now: int) -> Principal | None:
    """The principal a token belongs to, None if it is nobody's.

    Tokens are found by their digest, so the time this takes says nothing about a near miss.
    """
    return await directory.principal(digest(token), now)
