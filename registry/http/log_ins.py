"""`/v1/tokens` and `/v1/challenges`: logging in and out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from registry.accounts.account import Token, digest
from registry.accounts.sign_in import LoggedIn, SignIn
from registry.errors import InvalidValue, StateConflict
from registry.http.account_door import NO_STORE, AccountDoor, source
from registry.http.account_views import (
    IssuedTokenView,
    Name,
    Password,
    issued_token_view,
)
from registry.http.bearer import bearer_token
from registry.http.endpoints import Call, Endpoint, Reply
from registry.storage.interface import Reads
from registry.values.json_form import iso_time

TOKENS: Final = "/v1/tokens"
CHALLENGES: Final = "/v1/challenges"
#: Characters of a nonce and of a signature (RSA of 8192 bits) in Base64.
_Nonce: TypeAlias = Annotated[str, Meta(max_length=256)]
_Signature: TypeAlias = Annotated[str, Meta(max_length=2048)]


class LogIn(msgspec.Struct, forbid_unknown_fields=True):
    """Who logs in: `username` and `password`, or `key` with the signed `nonce` of a challenge."""

    username: Name = ""
    password: Password = ""
    key: Name = ""
    nonce: _Nonce = ""
    signature: _Signature = ""


class ChallengeFor(msgspec.Struct, forbid_unknown_fields=True):
    """The id of the key that will sign."""

    key: Name


class ChallengeView(msgspec.Struct):
    """What to sign, with the name of the node, until `expires`."""

    key: str
    node: str
    nonce: str
    expires: str


class LogInResources:
    """Log-ins over HTTP."""

    def __init__(self, door: AccountDoor, reads: Reads, sign_in: SignIn) -> None:
        self._door = door
        self._reads = reads
        self._sign_in = sign_in

    def endpoints(self) -> Sequence[Endpoint]:
        """The table of them."""
        issued: dict[int, Any] = {201: IssuedTokenView}
        rows = (
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
        )
        return [
            Endpoint(method, path, name, summary, act, right, tag="accounts", **more)
            for method, path, name, summary, act, right, more in rows
        ]

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
