"""Who sends a request: bearer tokens (RFC 6750)."""

from __future__ import annotations

from aiohttp import hdrs, web

from registry.accounts import account as accounts
from registry.accounts.account import TokenDirectory
from registry.authorisation import Principal
from registry.clock import Clock
from registry.errors import AuthenticationNeeded
from registry.quotas.request_meter import RequestMeter


class Bearers:
    """Finds out whose the bearer token of a request is, and has `requests` count it."""

    def __init__(
        self, directory: TokenDirectory, clock: Clock, requests: RequestMeter | None = None
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._requests = requests

    async def principal(self, request: web.Request) -> Principal:
        """Whom the bearer token of a request belongs to.

        Raises AuthenticationNeeded, RequestQuotaSpent.
        """
        now = int(self._clock.now())
        principal = await accounts.authenticate(self._directory, self.token(request), now)
        if principal is None:
            raise AuthenticationNeeded("the bearer token is not valid")
        if self._requests is not None:
            await self._requests.count(principal)
        return principal

    def token(self, request: web.Request) -> str:
        """The token of a request. Raises AuthenticationNeeded where there is none."""
        return bearer_token(request)


def bearer_token(request: web.Request) -> str:
    """The bearer token of a request. Raises AuthenticationNeeded where there is none."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer":
        raise AuthenticationNeeded("a bearer token is needed")
    return token.strip()
