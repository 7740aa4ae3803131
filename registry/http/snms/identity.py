"""`/identity/token`: a password for a token."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from registry.accounts.sign_in import SignIn, Source
from registry.clock import Clock
from registry.http.endpoints import Call, Endpoint, Reply
from registry.http.snms.answering import done, resource

_PATH: Final = "/identity/token"
_BEIJING: Final = timezone(timedelta(hours=8))


class Login(msgspec.Struct):
    """Who logs in; `password` is the password, or the digest of it and the day."""

    username: Annotated[str, Meta(max_length=64)]
    password: Annotated[str, Meta(max_length=128)]


class Identity:
    """Logging in."""

    def __init__(self, sign_in: SignIn, clock: Clock) -> None:
        self._sign_in = sign_in
        self._clock = clock

    def endpoints(self) -> Sequence[Endpoint]:
        """The table of them."""
        return [
            resource("POST", _PATH, "token", self._plainly, None, Login),
            resource("POST", _PATH + "/v1", "token-v1", self._by_digest, None, Login),
        ]

    async def _plainly(self, call: Call) -> Reply:
        """A token for a password"""
        login: Login = call.body
        found = await self._sign_in.by_password(login.username, login.password, _source(call))
        return done({"token": found.secret})

    async def _by_digest(self, call: Call) -> Reply:
        """A token for sha256(sha256(password) + day)"""
        login: Login = call.body
        # The day is that of Beijing; who reckons by UTC is let in as well.
        now = self._clock.now()
        days = [datetime.fromtimestamp(now, zone).date().isoformat() for zone in (_BEIJING, UTC)]
        found = await self._sign_in.by_daily_digest(
            login.username, login.password, days, _source(call)
        )
        return done({"token": found.secret})


def _source(call: Call) -> Source:
    return Source(call.request.remote or "", call.actor.origin)
