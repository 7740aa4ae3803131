"""Who may use a node: its accounts, their log-ins, and what checks them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AsyncExitStack

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from registry.challenges import Challenges
from registry.http.account_secrets import SecretResources
from registry.http.accounts import AccountDoor, AccountResources
from registry.http.endpoints import Endpoint
from registry.passwords import Passwords
from registry.sign_in import SignIn
from resolver.node.holding import Holding
from resolver.node.setting import Setting


def account_endpoints(
    stack: AsyncExitStack, setting: Setting, holding: Holding
) -> Iterator[Endpoint]:
    """What is served about accounts; the stack ends the threads behind it."""
    ledger, reads, clock = holding.registrar.ledger, holding.store.reads, setting.clock
    passwords = Passwords()
    stack.callback(passwords.close)
    challenges = Challenges(setting.spec.name, _challenge_secret(setting))
    sign_in = SignIn(ledger, reads, clock, passwords, challenges)
    stack.callback(sign_in.close)
    door = AccountDoor(ledger, reads)
    prefix = setting.spec.prefix
    yield from AccountResources(door, reads, clock, passwords, sign_in, prefix).endpoints()
    yield from SecretResources(door, reads, clock, sign_in).endpoints()


def _challenge_secret(setting: Setting) -> bytes:
    """What the node makes challenges with: the same in all its processes, and after a restart."""
    key = setting.key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return hashlib.sha256(b"idnode challenges\n" + key).digest()
