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

from registry.audit.log import Actor
from registry.authorisation import Operation, Principal, may, may_for
from registry.errors import (
    AuthenticationNeeded,
    NotFound,
    NotPermitted,
    Refusal,
)
from registry.http.bearer import Bearers
from registry.http.headers import Header
from registry.http.paging import cursor_in, next_link
from registry.http.problem import refusal_problem
from registry.http.reading import JSON, check_acceptable, check_media, read_body, read_query
from registry.http.request_id import HEADER, request_id

_log = logging.getLogger(__name__)

#: Most octets of a body.
MAX_BODY: Final = 1 << 20


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
    the type of the body, which has the media type `media`, `query` a msgspec struct of the query's
    parameters, `answers` the type of the body by status (None: none), of the media type
    `answer_media`. `takes` are the headers that a request may have, `gives` those of an answer that
    is no refusal. Where it is `streamed`, `act` reads the body, and checks its media type.
    """

    method: str
    path: str
    name: str
    summary: str
    act: Callable[[Call], Awaitable[Reply | web.StreamResponse]]
    operation: Operation | None
    body: Any = None
    query: type[msgspec.Struct] | None = None
    answers: Mapping[int, Any] = field(default_factory=lambda: {200: None})
    tag: str = ""
    takes: Sequence[Header] = ()
    gives: Sequence[Header] = ()
    media: str = JSON
    answer_media: str = JSON
    streamed: bool = False


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

    def need_anywhere(self) -> None:
        """Raises NotPermitted unless the principal may do this about a prefix that it acts for."""
        if not any(map(self.may, self.principal.prefixes)):
            raise NotPermitted(f"the token may not do this ({self._operation.value}) anywhere")

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
    name = request_id(request)
    status, headers, body = refusal_problem(refusal, instance=request.raw_path, request_id=name)
    return web.Response(status=status, headers={**headers, HEADER: name}, body=body)


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
        methods: dict[str, list[str]] = {}
        for endpoint in self.endpoints:
            answer = self._answering(endpoint)
            served = ["GET", "HEAD"] if endpoint.method == "GET" else [endpoint.method]
            for method in served:
                app.router.add_route(method, endpoint.path, answer)
            methods.setdefault(endpoint.path, []).extend(served)
        for path, served in methods.items():
            app.router.add_route("OPTIONS", path, _telling([*served, "OPTIONS"]))

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
                reply = self._refused(refusal, request)
            else:
                self._changes[endpoint.name, "ok"] += 1
            response = _response(request, reply) if isinstance(reply, Reply) else reply
            if not response.prepared and HEADER not in response.headers:
                response.headers[HEADER] = request_id(request)
            return response

        return answer

    async def _called(self, endpoint: Endpoint, request: web.Request) -> Call:
        """The request, read. Who asks is settled before anything that was sent is looked at."""
        principal = None
        if endpoint.operation is not None or hdrs.AUTHORIZATION in request.headers:
            principal = await self._bearers.principal(request)
        call = Call(endpoint, request, principal)
        check_acceptable(request, endpoint.media)
        if endpoint.query is not None:
            call.query = read_query(request, endpoint.query)
        if endpoint.body is not None and not endpoint.streamed:
            check_media(request, endpoint.media)
            call.body = read_body(await request.read(), endpoint.body)
        return call


def _telling(methods: Sequence[str]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Answers OPTIONS with the methods of a resource (RFC 9110 section 9.3.7)."""

    async def tell(_request: web.Request) -> web.Response:
        return web.Response(status=204, headers={hdrs.ALLOW: ", ".join(methods)})

    return tell


def _response(request: web.Request, reply: Reply) -> web.Response:
    headers = dict(reply.headers)
    if cursor := cursor_in(reply.body):
        headers[hdrs.LINK] = next_link(request.rel_url, cursor)
    if reply.body is None:
        return web.Response(status=reply.status, headers=headers)
    headers.setdefault(hdrs.CONTENT_TYPE, "application/json")
    return web.Response(status=reply.status, headers=headers, body=msgspec.json.encode(reply.body))
