"""Who sends a request: bearer tokens (RFC 6750)."""

from __future__ import annotations

from typing import TypeAlias

from aiohttp import hdrs, web

from registry import accounts
from registry.accounts import AppKeyDirectory
from registry.authorisation import Principal
from registry.errors import AuthenticationNeeded

#: Where it is known whose a token is.
Bearers: TypeAlias = AppKeyDirectory


async def bearer(request: web.Request, directory: Bearers) -> Principal:
    """Whom the bearer token of a request belongs to. Raises AuthenticationNeeded."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer":
        raise AuthenticationNeeded("a bearer token is needed")
    principal = await accounts.authenticate(directory, token.strip())
    if principal is None:
        raise AuthenticationNeeded("the bearer token is not valid")
    return principal
