"""Who may do what: principals, roles, and the one table that decides.

Passwords and tokens made here are random, so a plain SHA-256 digest of them is all that is kept.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple, Protocol

#: Octets of randomness in a generated password and in a token.
_PASSWORD_SIZE: Final = 18
_TOKEN_SIZE: Final = 32


class Role(Enum):
    """What an account is there for."""

    OPERATOR = "operator"  # runs the node of a prefix
    ENTERPRISE_OPERATOR = "enterprise-operator"  # an enterprise hosted on a sector node


class Operation(Enum):
    """What can be asked for."""

    REGISTER = "register"  # create, change and delete identifiers under a prefix


class Relation(Enum):
    """How a prefix stands to the prefix of the principal, by whole segments."""

    OWN = "own"
    BELOW = "below"
    FOREIGN = "foreign"


class Principal(NamedTuple):
    """Somebody whose credentials were checked."""

    username: str
    role: Role
    prefix: str


class Account(NamedTuple):
    """A stored account; `password_digest` is the SHA-256 of a random password."""

    username: str
    role: Role
    prefix: str
    password_digest: bytes


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


#: Everything that is allowed; what is not listed is not.
GRANTS: Final = frozenset(
    {
        (Role.OPERATOR, Operation.REGISTER, Relation.OWN),
        # The enterprises hosted on a sector node. Those on nodes of their own are not homed here,
        # so registration refuses them whoever asks.
        (Role.OPERATOR, Operation.REGISTER, Relation.BELOW),
        (Role.ENTERPRISE_OPERATOR, Operation.REGISTER, Relation.OWN),
    }
)


def relation(own: str, prefix: str) -> Relation:
    """How `prefix` stands to `own`; both canonical."""
    ours, theirs = own.split("."), prefix.split(".")
    if theirs[: len(ours)] != ours:
        return Relation.FOREIGN
    return Relation.OWN if len(theirs) == len(ours) else Relation.BELOW


def may(principal: Principal, operation: Operation, prefix: str) -> bool:
    """Whether the principal may do this under the (canonical) prefix of an identifier."""
    return (principal.role, operation, relation(principal.prefix, prefix)) in GRANTS


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
