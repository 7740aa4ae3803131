"""`/v1/accounts/{username}/tokens` and `/keys`: what an account lets programs in by."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from registry.accounts.account import AccountKey, Token, issue_token, new_key
from registry.accounts.keys import MAX_PEM, read_key, write_key
from registry.authorisation import Operation
from registry.clock import Clock
from registry.http.account_door import NO_STORE, ONE, AccountDoor
from registry.http.account_views import (
    IssuedTokenView,
    KeyList,
    KeyView,
    Label,
    TokenList,
    issued_token_view,
    key_view,
    token_view,
)
from registry.http.endpoints import Call, Endpoint, Reply
from registry.storage.interface import Reads

_OF_ONE_TOKENS: Final = ONE + "/tokens"
_OF_ONE_KEYS: Final = ONE + "/keys"
_DAY: Final = 86_400
_Act: TypeAlias = Callable[[Call], Awaitable[Reply]]


class NewToken(msgspec.Struct, forbid_unknown_fields=True):
    """A token for an account; without `days` it does not expire."""

    label: Label = ""
    days: Annotated[int, Meta(ge=1, le=3650)] | None = None


class NewKey(msgspec.Struct, forbid_unknown_fields=True):
    """A public key in PEM."""

    public_key: Annotated[str, Meta(max_length=MAX_PEM)]
    label: Label = ""


class SecretResources:
    """Tokens and keys over HTTP."""

    def __init__(self, door: AccountDoor, reads: Reads, clock: Clock) -> None:
        self._door = door
        self._reads = reads
        self._clock = clock

    def endpoints(self) -> Sequence[Endpoint]:
        """The table of them."""
        read, manage = Operation.ACCOUNT_READ, Operation.ACCOUNT_MANAGE
        issued: dict[int, Any] = {201: IssuedTokenView}
        rows: tuple[tuple[str, str, str, str, _Act, Operation | None, dict[str, Any]], ...] = (
            (
                "GET",
                _OF_ONE_TOKENS,
                "list-tokens",
                "The tokens of an account, one's own or one that the caller may see",
                self._tokens,
                read,
                {"answers": {200: TokenList}},
            ),
            (
                "POST",
                _OF_ONE_TOKENS,
                "issue-token",
                "A token for a program, which need not expire",
                self._issue,
                manage,
                {"body": NewToken, "answers": issued},
            ),
            (
                "DELETE",
                _OF_ONE_TOKENS + "/{id}",
                "revoke-token",
                "End a token",
                self._revoke,
                manage,
                {"answers": {204: None}},
            ),
            (
                "GET",
                _OF_ONE_KEYS,
                "list-keys",
                "The keys of an account",
                self._keys,
                read,
                {"answers": {200: KeyList}},
            ),
            (
                "POST",
                _OF_ONE_KEYS,
                "add-key",
                "Let a program log in by its key",
                self._add_key,
                manage,
                {"body": NewKey, "answers": {201: KeyView}},
            ),
            (
                "DELETE",
                _OF_ONE_KEYS + "/{id}",
                "remove-key",
                "Let nobody log in by a key any more",
                self._remove_key,
                manage,
                {"answers": {204: None}},
            ),
        )
        return [
            Endpoint(method, path, name, summary, act, right, tag="accounts", **more)
            for method, path, name, summary, act, right, more in rows
        ]

    # --- tokens ---

    async def _tokens(self, call: Call) -> Reply:
        account = await self._door.found(call, own=True)
        found = await self._reads.dossiers(Token, username=account.username)
        now = self._now
        live = [token for token in found if not token.expires or token.expires > now]
        live.sort(key=lambda token: token.created)
        return Reply(body=TokenList([*map(token_view, live)]))

    async def _issue(self, call: Call) -> Reply:
        body: NewToken = call.body
        account = await self._door.found(call)
        now = self._now
        expires = 0 if body.days is None else now + body.days * _DAY
        token, secret = issue_token(account.username, body.label, now=now, expires=expires)
        async with self._door.office(call) as office:
            await office.issue(token)
        return Reply(201, issued_token_view(token, secret), NO_STORE)

    async def _revoke(self, call: Call) -> Reply:
        account = await self._door.found(call, own=True)
        async with self._door.office(call) as office:
            await office.revoke(account.username, call.path["id"])
        return Reply(204)

    # --- keys ---

    async def _keys(self, call: Call) -> Reply:
        account = await self._door.found(call, own=True)
        found = await self._reads.dossiers(AccountKey, username=account.username)
        return Reply(body=KeyList([*map(key_view, found)]))

    async def _add_key(self, call: Call) -> Reply:
        body: NewKey = call.body
        account = await self._door.found(call, own=True)
        pem = write_key(read_key(body.public_key))
        key = new_key(account.username, body.label, pem, self._now)
        async with self._door.office(call) as office:
            await office.add_key(key)
        return Reply(201, key_view(key))

    async def _remove_key(self, call: Call) -> Reply:
        account = await self._door.found(call, own=True)
        async with self._door.office(call) as office:
            await office.remove_key(account.username, call.path["id"])
        return Reply(204)

    @property
    def _now(self) -> int:
        return int(self._clock.now())
