"""The management API as a table: each endpoint says what it takes, who may ask, what it answers.

What is served and what the OpenAPI description says come from the same table. An endpoint acts only
after it has named what the request is about (`Call.need…`): one that forgets is answered as a
failure of the program, never with data.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec
from aiohttp import hdrs, web

from registry.audit import Actor
from registry.authorisation import Operation, Principal, may, may_for
from registry.errors import (
    AuthenticationNeeded,
    DecodeError,
    InvalidValue,
    NotFound,
    NotPermitted,
    Refusal,
)
from registry.http.bearer import Bearers
from registry.http.problem import refusal_problem
from registry.json_text import read_json

_log = logging.getLogger(__name__)

#: Most octets of a body.
MAX_BODY: Final = 1 << 20
_PATH_IN_ERROR: Final = " - at `$"


class Reply(NamedTuple):
    """What an endpoint answers: `body` is anything msgspec can encode, None for no body."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one resource.

    `path` is an aiohttp pattern, `name` unique (`read-enterprise`): the operation in metrics and in
    the description. `operation` is what has to be granted, None for what anybody may ask. `body` is
    the type of the JSON body, `query` a msgspec struct of the query's parameters, `answers` the
    type of the body by status (None: none).
    """

    method: str
    path: str
    name: str
    summary: str
    act: Callable[[Call], Awaitable[Reply]]
    operation: Operation | None
    body: Any = None
    query: type[msgspec.Struct] | None = None
    answers: Mapping[int, Any] = field(default_factory=lambda: {200: None})
    tag: str = ""


class Call:
    """A request to an endpoint, read and known to come from `principal` (None: from anybody)."""

    def __init__(
        self, endpoint: Endpoint, request: web.Request, principal: Principal | None
    ) -> None:
        self.endpoint = endpoint
        self.request = request
        self._principal = principal
        self.body: Any = None
        self.query: Any = None
        #: Whether it was asked if the principal may do this.
        self.decided = endpoint.operation is None

    @property
    def path(self) -> Mapping[str, str]:
        """What stands for the names in the path, percent-decoded."""
        return self.request.match_info

    @property
    def principal(self) -> Principal:
        """Who asks. Raises AuthenticationNeeded where anybody may and nobody said who."""
        if self._principal is None:
            raise AuthenticationNeeded("a bearer token is needed")
        return self._principal

    @property
    def anonymous(self) -> bool:
        """Whether nobody said who asks."""
        return self._principal is None

    @property
    def actor(self) -> Actor:
        """Who the audit log says it was."""
        name = "" if self._principal is None else self._principal.username
        return Actor(name, f"{self.request.scheme} {self.request.remote}")

    def may(self, prefix: str) -> bool:
        """Whether the principal may do this about a prefix; settles it if so."""
        operation = self._operation
        allowed = may(self.principal, operation, prefix)
        self.decided = self.decided or allowed
        return allowed

    def may_for(self, enterprise: str) -> bool:
        """Whether the principal may do this about an enterprise; settles it if so."""
        allowed = may_for(self.principal, self._operation, enterprise)
        self.decided = self.decided or allowed
        return allowed

    def settle(self) -> None:
        """The answer is a list of what `may` lets pass, which can be nothing."""
        self.decided = True

    def need(self, prefix: str) -> None:
        """Raises NotPermitted unless `may`: for what is no secret, such as that a prefix exists."""
        if not self.may(prefix):
            raise NotPermitted(f"the token may not do this ({self._operation.value}) for {prefix}")

    def need_for(self, enterprise: str) -> None:
        """Raises NotPermitted unless `may_for`."""
        if not self.may_for(enterprise):
            raise NotPermitted(f"the token may not do this ({self._operation.value})")

    def need_to_see(self, prefix: str) -> None:
        """Raises NotFound unless `may`: to others the thing does not exist."""
        if not self.may(prefix):
            raise NotFound()

    def need_to_see_for(self, enterprise: str) -> None:
        """Raises NotFound unless `may_for`: to others the enterprise does not exist."""
        if not self.may_for(enterprise):
            raise NotFound()

    @property
    def _operation(self) -> Operation:
        assert self.endpoint.operation is not None
        return self.endpoint.operation


def _problem(refusal: Refusal, request: web.Request) -> web.Response:
    status, headers, body = refusal_problem(refusal, instance=request.raw_path)
    return web.Response(status=status, headers=headers, body=body)


class Api:
    """Serves endpoints. `changes` counts requests by endpoint and outcome.

    `refused` makes the answer of a refusal, for APIs that have a form of their own for it.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        bearers: Bearers,
        changes: Counter[tuple[str, str]],
        refused: Callable[[Refusal, web.Request], web.Response] = _problem,
    ) -> None:
        self.endpoints = endpoints
        self._refused = refused
        self._bearers = bearers
        self._changes = changes

    def add_to(self, app: web.Application) -> None:
        for endpoint in self.endpoints:
            app.router.add_route(endpoint.method, endpoint.path, self._answering(endpoint))

    def _answering(
        self, endpoint: Endpoint
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                call = await self._called(endpoint, request)
                reply = await endpoint.act(call)
                if not call.decided:
                    _log.error("%s never asked who may", endpoint.name)
                    raise Refusal("the request could not be processed")
            except Refusal as refusal:
                self._changes[endpoint.name, refusal.outcome.slug] += 1
                return self._refused(refusal, request)
            self._changes[endpoint.name, "ok"] += 1
            return _response(reply)

        return answer

    async def _called(self, endpoint: Endpoint, request: web.Request) -> Call:
        """The request, read. Who asks is settled before anything that was sent is looked at."""
        principal = None
        if endpoint.operation is not None or hdrs.AUTHORIZATION in request.headers:
            principal = await self._bearers.principal(request)
        call = Call(endpoint, request, principal)
        if endpoint.query is not None:
            call.query = read_query(request, endpoint.query)
        if endpoint.body is not None:
            call.body = read_body(await request.read(), endpoint.body)
        return call


def read_body(body: bytes, kind: Any) -> Any:
    """A JSON body as a value of a type. Raises DecodeError, or InvalidValue naming the member."""
    return _converted(read_json(body), kind, strict=True)


def read_query(request: web.Request, kind: type[msgspec.Struct]) -> Any:
    """The query of a request as a struct. Raises DecodeError, InvalidValue."""
    members = dict(request.query)
    if len(members) < len(request.query):
        raise DecodeError("a parameter of the query is given twice")
    return _converted(members, kind, strict=False)


def _converted(found: Any, kind: Any, *, strict: bool) -> Any:
    try:
        return msgspec.convert(found, kind, strict=strict)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(_PATH_IN_ERROR)
        raise InvalidValue(message, field=_pointer(where)) from None


def _pointer(where: str) -> str | None:
    """`.items[0].name` and a backquote, as msgspec puts it, as `items/0/name`."""
    path = where.rstrip("`").replace("[", ".").replace("]", "")
    return path.removeprefix(".").replace(".", "/") or None


def _response(reply: Reply) -> web.Response:
    headers = dict(reply.headers)
    if reply.body is None:
        return web.Response(status=reply.status, headers=headers)
    headers.setdefault(hdrs.CONTENT_TYPE, "application/json")
    return web.Response(status=reply.status, headers=headers, body=msgspec.json.encode(reply.body))
