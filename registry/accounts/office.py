"""What becomes of accounts, each change noted in the audit log of the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from registry.accounts.account import Account, AccountKey, Token, check_username
from registry.audit.ledger import Writing
from registry.audit.log import Actor, Event, Note, record_digest
from registry.errors import AlreadyExists, InvalidValue, NotFound, StateConflict
from registry.quotas.quota import ACCOUNT, Quota, QuotaUse
from registry.storage.dossiers import Page

#: Most tokens and keys of one account; a log-in beyond ends the token that is the oldest.
MAX_TOKENS: Final = 100
MAX_KEYS: Final = 20


class AccountOffice:
    """Changes accounts inside a transaction, in the name of `actor`."""

    def __init__(self, writing: Writing, actor: Actor) -> None:
        self._writing = writing
        self._transaction = writing.transaction
        self._actor = actor

    async def open(self, account: Account) -> None:
        """Add an account. Raises InvalidValue for its name, AlreadyExists."""
        check_username(account.username)
        if await self._transaction.dossiers(Account, username=account.username):
            raise AlreadyExists(f"there is an account {account.username} already")
        await self._transaction.file([account])
        self._note(Event.ACCOUNT_CREATED, None, account)

    async def disable(self, username: str) -> Account:
        """Let nobody in by an account until it is enabled; its tokens end. Raises NotFound."""
        account = await self._found(username)
        if account.disabled:
            return account
        await self._end_tokens(username)
        disabled = account._replace(disabled=self._now)
        return await self._changed(Event.ACCOUNT_DISABLED, account, disabled)

    async def enable(self, username: str) -> Account:
        """Let people in by an account again. Raises NotFound."""
        account = await self._found(username)
        if not account.disabled:
            return account
        enabled = account._replace(disabled=0)
        return await self._changed(Event.ACCOUNT_ENABLED, account, enabled)

    async def set_password(self, username: str, password_digest: bytes) -> Account:
        """Give an account another password; all its tokens end. Raises NotFound."""
        account = await self._found(username)
        await self._end_tokens(username)
        changed = account._replace(password_digest=password_digest)
        return await self._changed(Event.ACCOUNT_PASSWORD_SET, account, changed)

    async def delete(self, username: str) -> None:
        """End an account with its tokens, keys and limits. Raises NotFound."""
        account = await self._found(username)
        await self._end_tokens(username)
        keys = await self._transaction.dossiers(AccountKey, username=username)
        limited = ACCOUNT + username
        await self._transaction.discard([*keys, Quota(limited), QuotaUse(limited), account])
        self._note(Event.ACCOUNT_DELETED, account, None)

    async def issue(self, token: Token) -> None:
        """Let a token be used. Raises NotFound, StateConflict for a disabled account."""
        account = await self._found(token.username)
        if account.disabled:
            raise StateConflict("issuing a token", "disabled", "account")
        held = await self._transaction.dossiers(Token, username=token.username)
        if len(held) >= MAX_TOKENS:
            held.sort(key=lambda each: each.created)
            await self._revoke(held[: len(held) - MAX_TOKENS + 1])
        await self._transaction.file([token])
        self._writing.note(Note(Event.TOKEN_ISSUED, self._actor, f"{token.username} {token.id}"))

    async def revoke(self, username: str, token_id: str) -> None:
        """End a token. Raises NotFound."""
        held = await self._transaction.dossiers(Token, username=username)
        meant = [token for token in held if token.id == token_id]
        if not meant:
            raise NotFound("there is no such token")
        await self._revoke(meant)

    async def add_key(self, key: AccountKey) -> None:
        """Let a key prove whom it belongs to. Raises NotFound, InvalidValue for too many."""
        await self._found(key.username)
        held = await self._transaction.dossiers(
            AccountKey, Page(limit=MAX_KEYS), username=key.username
        )
        if len(held) == MAX_KEYS:
            raise InvalidValue(f"an account has at most {MAX_KEYS} keys", field="public_key")
        await self._transaction.file([key])
        digest = record_digest(key.public_key.encode())
        self._writing.note(
            Note(Event.KEY_ADDED, self._actor, f"{key.username} {key.id}", after=digest)
        )

    async def remove_key(self, username: str, key_id: str) -> None:
        """Let a key prove nothing any more. Raises NotFound."""
        held = await self._transaction.dossiers(AccountKey, username=username, id=key_id)
        if not held:
            raise NotFound("there is no such key")
        await self._transaction.discard(held)
        self._writing.note(Note(Event.KEY_REMOVED, self._actor, f"{username} {key_id}"))

    async def _found(self, username: str) -> Account:
        found = await self._transaction.dossiers(Account, username=username)
        if not found:
            raise NotFound("there is no such account")
        return found[0]

    async def _changed(self, event: Event, before: Account, after: Account) -> Account:
        await self._transaction.file([after])
        self._note(event, before, after)
        return after

    async def _end_tokens(self, username: str) -> None:
        await self._revoke(await self._transaction.dossiers(Token, username=username))

    async def _revoke(self, tokens: Sequence[Token]) -> None:
        await self._transaction.discard(tokens)
        for token in tokens:
            subject = f"{token.username} {token.id}"
            self._writing.note(Note(Event.TOKEN_REVOKED, self._actor, subject))

    def _note(self, event: Event, before: Account | None, after: Account | None) -> None:
        account = after or before
        assert account is not None
        digests = (record_digest(_octets(before)), record_digest(_octets(after)))
        self._writing.note(Note(event, self._actor, account.username, *digests))

    @property
    def _now(self) -> int:
        return self._writing.time // 1000


def _octets(account: Account | None) -> bytes | None:
    """An account as the audit log's digests cover it."""
    return None if account is None else msgspec.json.encode(account)
