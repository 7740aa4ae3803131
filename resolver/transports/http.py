"""HTTP listeners: the Handle JSON API, resolution with a trace, health and metrics, on aiohttp."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Protocol

from aiohttp import hdrs, web

from resolver.codecs import json_api
from resolver.codecs.proxy import request as proxy
from resolver.transports.account import Account
from resolver.transports.connections import MAX_CONNECTIONS, Connections, Patience
from resolver.transports.http_connection import Connection, Service
from resolver.transports.http_plain import PlainConnection, PlainFront
from resolver.transports.http_refusals import (
    HttpReply,
    Refuses,
    check_method,
    refusals,
    response,
)
from resolver.transports.shares import Shares

#: Largest body that is read at all; single resources set their own smaller bounds.
MAX_BODY = 1 << 20
#: How long requests under way may take to finish when a node ends.
SHUTDOWN_SECONDS = 3.0
#: Requests of all connections that may be under way.
MAX_UNDER_WAY: Final = 4096
#: Proxies keep connections for a minute.
PATIENCE: Final = Patience(rest=75.0)
FORM_TYPE = "application/x-www-form-urlencoded"
#: More than there ever are at a time.
_ANY = 1 << 30
#: Where a request holds the certified name that another process of the node has checked.
CERTIFIED_NAME = "certified name"
#: A `Host` that may stand in a redirect.
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


class HttpFront(Refuses, Protocol):
    """What a node answers over HTTP."""

    def api(self, request: json_api.Request) -> json_api.Reply | Awaitable[json_api.Reply]: ...

    async def resolve(self, target: str, trace: bool, fresh: bool, verify: bool) -> HttpReply: ...

    async def page(self, request: proxy.Request) -> HttpReply: ...

    def health(self) -> HttpReply: ...

    def ready(self) -> HttpReply: ...

    async def metrics(self) -> HttpReply: ...


AddRoutes = Callable[[web.Application], None]


def application(front: HttpFront, *add_routes: AddRoutes) -> web.Application:
    """The application of a node's HTTP and HTTPS ports. `add_routes` add the management API."""

    async def api(request: web.Request) -> web.Response:
        try:
            reply = front.api(await _api_request(request))
        except web.HTTPRequestEntityTooLarge:
            reply = json_api.too_large(MAX_BODY)
        if not isinstance(reply, json_api.Reply):
            reply = await reply
        return api_response(reply)

    async def resolve(request: web.Request) -> web.Response:
        names = ("trace", "fresh", "verify")
        flags = [request.query.get(name, "0") in ("1", "true", "") for name in names]
        target = request.raw_path.partition("?")[0].removeprefix("/v1/resolve/")
        return response(await front.resolve(target, *flags))

    async def elsewhere(request: web.Request) -> web.Response:
        await check_method(request)
        return response(await front.page(await _page_request(request)))

    app = web.Application(client_max_size=MAX_BODY, middlewares=[refusals(front)])
    _add_health(app, front)
    app.router.add_get("/v1/resolve/{identifier:(?s:.+)}", resolve)
    for add in add_routes:
        add(app)
    app.router.add_route("*", "/api/{rest:(?s:.*)}", api)
    app.router.add_route("*", "/api", api)
    app.router.add_route("*", "/{rest:(?s:.*)}", elsewhere)
    return app


async def _page_request(request: web.Request) -> proxy.Request:
    headers = request.headers
    posted = request.content_type == FORM_TYPE and request.can_read_body
    return proxy.Request(
        request.method,
        request.raw_path,
        f"{request.scheme}://{request.host}" if _HOST.fullmatch(request.host) else "",
        headers.get(hdrs.ACCEPT, ""),
        headers.get(hdrs.ACCEPT_LANGUAGE, ""),
        headers.get(hdrs.USER_AGENT, ""),
        request.remote or "",
        await request.read() if posted else b"",
    )


async def _api_request(request: web.Request) -> json_api.Request:
    """Raises HTTPRequestEntityTooLarge."""
    return json_api.Request(
        request.method,
        request.raw_path,
        request.content_type if request.can_read_body else "",
        await request.read() if request.can_read_body else b"",
        request.secure,
        request.headers,
        request.remote or "",
        certified_name(request),
    )


def api_response(reply: json_api.Reply) -> web.Response:
    """A reply of the JSON API."""
    response = web.Response(status=reply.status, headers=reply.headers, body=reply.body)
    for challenge in reply.challenges:
        response.headers.add(hdrs.WWW_AUTHENTICATE, challenge)
    return response


def certified_name(request: web.Request) -> str | None:
    """The user id, or else the common name, in the client certificate that TLS has checked."""
    if CERTIFIED_NAME in request:
        return str(request[CERTIFIED_NAME])
    transport = request.transport
    certificate = transport.get_extra_info("peercert") if transport is not None else None
    parts = (certificate or {}).get("subject", ())
    names = {name: text for part in parts for name, text in part}
    return names.get("userId") or names.get("commonName")


def metrics_application(front: HttpFront) -> web.Application:
    """The application of a node's metrics port."""

    async def metrics(request: web.Request) -> web.Response:
        return response(await front.metrics())

    app = web.Application(middlewares=[refusals(front)])
    _add_health(app, front)
    app.router.add_get("/metrics", metrics)
    return app


def _add_health(app: web.Application, front: HttpFront) -> None:
    async def health(request: web.Request) -> web.Response:
        return response(front.health())

    async def ready(request: web.Request) -> web.Response:
        return response(front.ready())

    app.router.add_get("/healthz", health)
    app.router.add_get("/readyz", ready)


class HttpServer:
    """An application and the ports it listens on; `account` says what became of each request.

    `front` answers what cannot be read or served. `plain` answers what it can of plain requests
    before the application sees them, without TLS.
    """

    def __init__(
        self,
        app: web.Application,
        front: Refuses,
        plain: PlainFront | None = None,
        *,
        account: Account | None = None,
        patience: Patience = PATIENCE,
        max_connections: int = MAX_CONNECTIONS,
        max_under_way: int = MAX_UNDER_WAY,
    ) -> None:
        self.account = account or Account()
        self.connections = Connections(max_connections)
        self._service = Service(
            front, self.account, self.connections, Shares(max_under_way), patience
        )
        self._plain = plain
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        self._listeners: list[asyncio.Server] = []
        self.port = 0

    async def bind(
        self, host: str, port: int, tls: ssl.SSLContext | None = None, *, shared: bool = False
    ) -> None:
        """Open one more port, or a share of it. Raises OSError if it is taken."""
        if self._runner.server is None:
            await self._runner.setup()
            self.connections.watch(self._service.patience.look)
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(
            self._connection if tls or self._plain is None else self._plain_connection,
            host,
            port,
            ssl=tls,
            ssl_handshake_timeout=None if tls is None else self._service.patience.message,
            backlog=1024,
            reuse_port=shared,
        )
        self._listeners.append(listener)
        self.port = listener.sockets[0].getsockname()[1]

    async def bind_unix(self, address: str) -> None:
        """Listen on a Unix socket, too: for requests that others have let in and count."""
        assert self._runner.server is not None, "the ports come first"
        service = Service(
            self._service.front, Account(), Connections(_ANY), Shares(_ANY), self._service.patience
        )
        loop = asyncio.get_running_loop()
        listener = await loop.create_unix_server(
            partial(Connection, self._runner.server, service), address
        )
        self._listeners.append(listener)

    async def drain(self) -> None:
        """Stop listening, let requests under way finish for a while, then close everything."""
        for listener in self._listeners:
            listener.close()
        await self._runner.cleanup()
        self.connections.close()

    def _connection(self) -> Connection:
        assert self._runner.server is not None
        return Connection(self._runner.server, self._service)

    def _plain_connection(self) -> Connection:
        assert self._runner.server is not None
        assert self._plain is not None
        return PlainConnection(self._runner.server, self._service, self._plain)
