"""`GET /hrls/handles?URL=…`: as clients of the Handle reverse look-up servlet ask.

They log in by Basic (RFC 7617), here with a token for the password of an account. The query names
types with the text that a value has to have; all of them have to be there. The answer is a list of
identifiers. There are no wildcards: the index knows whole values only.
"""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import unquote

import msgspec
from aiohttp import BasicAuth, hdrs, web
from msgspec import Meta

from registry.authorisation import Operation, Principal, may
from registry.errors import AuthenticationNeeded, InvalidValue
from registry.http.bearer import Bearers
from registry.http.endpoints import Call, Endpoint, Reply
from registry.http.reading import convert_query
from registry.search.searching import Place, Wanted, has_value, reaches_of, search
from registry.storage.interface import Reads

PATH: Final = "/hrls/handles"
#: Identifiers that are gone through for one answer, at most.
MAX_FOUND: Final = 10_000


class _Paging(msgspec.Struct):
    """Page `page` from 0 on, of `limit` identifiers each."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 1000
    page: Annotated[int, Meta(ge=0, le=1000)] = 0


class TokensAsPasswords(Bearers):
    """Bearer tokens, or the same as passwords of their accounts."""

    async def principal(self, request: web.Request) -> Principal:
        principal = await super().principal(request)
        login = _basic(request)
        # Clients of Handle servers percent-encode user names.
        if login is not None and unquote(login.login) != principal.username:
            raise AuthenticationNeeded("the token is that of another account")
        return principal

    def token(self, request: web.Request) -> str:
        login = _basic(request)
        return super().token(request) if login is None else login.password


def _basic(request: web.Request) -> BasicAuth | None:
    try:
        return BasicAuth.decode(request.headers.get(hdrs.AUTHORIZATION, ""), "utf-8")
    except ValueError:
        return None


class ReverseLookup:
    """Finds identifiers by what their values are; whoever asks finds what they may read."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                "GET",
                PATH,
                "reverse-look-up",
                "Identifiers by values",
                self._find,
                Operation.READ,
                answers={200: list[str]},
            )
        ]

    async def _find(self, call: Call) -> Reply:
        call.need_anywhere()
        asked = dict(call.request.query)
        given: dict[str, str] = {
            name: asked.pop(name) for name in ("limit", "page") if name in asked
        }
        paging: _Paging = convert_query(given, _Paging)
        values = {name.encode(): text.encode() for name, text in asked.items()}
        if not values or any(b"*" in text for text in values.values()):
            raise InvalidValue("types and the whole text of their values are needed")
        start = paging.page * paging.limit
        found = await self._all(call, values, min(start + paging.limit, MAX_FOUND))
        return Reply(body=found[start:])

    async def _all(self, call: Call, values: dict[bytes, bytes], most: int) -> list[str]:
        (type_, data), *others = values.items()
        wanted = Wanted(
            reaches_of(call.principal),
            lambda prefix: may(call.principal, Operation.READ, prefix),
            data=data,
            type=type_,
        )
        found: list[str] = []
        place: Place | None = None
        while len(found) < most:
            rows, place = await search(self._reads, wanted, place, most - len(found))
            found += [
                str(row.key)
                for row in rows
                if all(has_value(row.record, text, name, None) for name, text in others)
            ]
            if place is None:
                break
        return found
