"""Who may use a node: its accounts, their log-ins, and what checks them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import NamedTuple

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from registry.accounts.challenges import Challenges
from registry.accounts.passwords import Passwords
from registry.accounts.sign_in import SignIn
from registry.http.account_door import AccountDoor
from registry.http.account_secrets import SecretResources
from registry.http.accounts import AccountResources
from registry.http.endpoints import Endpoint
from registry.http.log_ins import LogInResources
from resolver.node.holding import Holding
from resolver.node.setting import Setting


class Identity(NamedTuple):
    """What lets accounts in."""

    passwords: Passwords
    sign_in: SignIn


def identity(stack: AsyncExitStack, setting: Setting, holding: Holding) -> Identity:
    """Log-ins of a node; the stack ends the threads behind them."""
    passwords = Passwords()
    stack.callback(passwords.close)
    challenges = Challenges(setting.spec.name, _challenge_secret(setting))
    ledger, reads = holding.registrar.ledger, holding.store.reads
    sign_in = SignIn(ledger, reads, setting.clock, passwords, challenges)
    stack.callback(sign_in.close)
    return Identity(passwords, sign_in)


def account_endpoints(setting: Setting, holding: Holding, identity: Identity) -> Iterator[Endpoint]:
    """What is served about accounts."""
    ledger, reads, clock = holding.registrar.ledger, holding.store.reads, setting.clock
    passwords, sign_in = identity
    door = AccountDoor(ledger, reads)
    prefix = setting.spec.prefix
    yield from AccountResources(door, reads, clock, passwords, sign_in, prefix).endpoints()
    yield from SecretResources(door, reads, clock).endpoints()
    yield from LogInResources(door, reads, sign_in).endpoints()


def _challenge_secret(setting: Setting) -> bytes:
    """What the node makes challenges with: the same in all its processes, and after a restart."""
    key = setting.key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return hashlib.sha256(b"idnode challenges\n" + key).digest()
