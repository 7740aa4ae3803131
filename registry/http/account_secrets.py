"""`/v1/tokens`, `/v1/challenges` and what accounts have of tokens and keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from registry.account_keys import MAX_PEM, read_key, write_key
from registry.accounts import AccountKey, Token, digest, issue_token, new_key
from registry.authorisation import Operation
from registry.clock import Clock
from registry.errors import InvalidValue, StateConflict
from registry.http.account_door import NO_STORE, ONE, AccountDoor, source
from registry.http.account_views import (
    IssuedTokenView,
    KeyList,
    KeyView,
    Label,
    Name,
    Password,
    TokenList,
    issued_token_view,
    key_view,
    token_view,
)
from registry.http.bearer import bearer_token
from registry.http.endpoints import Call, Endpoint, Reply
from registry.sign_in import LoggedIn, SignIn
from registry.storage.interface import Reads
from registry.values.json_form import iso_time

TOKENS: Final = "/v1/tokens"
CHALLENGES: Final = "/v1/challenges"
_OF_ONE_TOKENS: Final = ONE + "/tokens"
_OF_ONE_KEYS: Final = ONE + "/keys"
_DAY: Final = 86_400
#: Characters of a nonce and of a signature (RSA of 8192 bits) in Base64.
_Nonce: TypeAlias = Annotated[str, Meta(max_length=256)]
_Signature: TypeAlias = Annotated[str, Meta(max_length=2048)]
_Act: TypeAlias = Callable[[Call], Awaitable[Reply]]


class LogIn(msgspec.Struct, forbid_unknown_fields=True):
    """Who logs in: `username` and `password`, or `key` with the signed `nonce` of a challenge."""

    username: Name = ""
    password: Password = ""
    key: Name = ""
    nonce: _Nonce = ""
    signature: _Signature = ""


class NewToken(msgspec.Struct, forbid_unknown_fields=True):
    """A token for an account; without `days` it does not expire."""

    label: Label = ""
    days: Annotated[int, Meta(ge=1, le=3650)] | None = None


class NewKey(msgspec.Struct, forbid_unknown_fields=True):
    """A public key in PEM."""

    public_key: Annotated[str, Meta(max_length=MAX_PEM)]
    label: Label = ""


class ChallengeFor(msgspec.Struct, forbid_unknown_fields=True):
    """The id of the key that will sign."""

    key: Name


class ChallengeView(msgspec.Struct):
    """What to sign, with the name of the node, until `expires`."""

    key: str
    node: str
    nonce: str
    expires: str


class SecretResources:
    """Log-ins, tokens and keys over HTTP."""

    def __init__(self, door: AccountDoor, reads: Reads, clock: Clock, sign_in: SignIn) -> None:
        self._door = door
        self._reads = reads
        self._clock = clock
        self._sign_in = sign_in

    def endpoints(self) -> Sequence[Endpoint]:
        """The table of them."""
        read, manage = Operation.ACCOUNT_READ, Operation.ACCOUNT_MANAGE
        issued: dict[int, Any] = {201: IssuedTokenView}
        rows: tuple[tuple[str, str, str, str, _Act, Operation | None, dict[str, Any]], ...] = (
            (
                "POST",
                TOKENS,
                "log-in",
                "A token of 24 hours, for a password or a signed challenge",
                self._log_in,
                None,
                {"body": LogIn, "answers": issued},
            ),
            (
                "DELETE",
                TOKENS + "/current",
                "log-out",
                "End the token of the request",
                self._log_out,
                None,
                {"answers": {204: None}},
            ),
            (
                "POST",
                CHALLENGES,
                "make-challenge",
                "What a program signs to log in with its key",
                self._challenge,
                None,
                {"body": ChallengeFor, "answers": {201: ChallengeView}},
            ),
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

    # --- logging in and out ---

    async def _log_in(self, call: Call) -> Reply:
        logged_in = await self._logged_in(call, call.body)
        return Reply(201, issued_token_view(*logged_in), NO_STORE)

    async def _logged_in(self, call: Call, body: LogIn) -> LoggedIn:
        by_password, by_key = (body.username, body.password), (body.key, body.nonce, body.signature)
        if all(by_password) and not any(by_key):
            return await self._sign_in.by_password(*by_password, source(call))
        if all(by_key) and not any(by_password):
            return await self._sign_in.by_key(*by_key, source(call))
        raise InvalidValue("give username and password, or key, nonce and signature")

    async def _log_out(self, call: Call) -> Reply:
        username, current = call.principal.username, digest(bearer_token(call.request))
        found = await self._reads.dossiers(Token, digest=current)
        if found and not found[0].expires:
            raise StateConflict("logging out", "an app key", "token")
        async with self._door.office(call) as office:
            for token in found:
                await office.revoke(username, token.id)
        return Reply(204)

    async def _challenge(self, call: Call) -> Reply:
        body: ChallengeFor = call.body
        nonce, expires = self._sign_in.challenge(body.key)
        view = ChallengeView(body.key, self._sign_in.node, nonce, iso_time(expires))
        return Reply(201, view, NO_STORE)

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
