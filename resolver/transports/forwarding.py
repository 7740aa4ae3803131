"""HTTP requests that a worker hands on to the writer of its node, over a Unix socket.

They go as they came, octet streams in both directions; what the writer could not see by itself (the
peer's address, TLS, the name in a client certificate) travels in headers that nobody else can set.
A request goes over a connection of its own and is sent once: what becomes of it when the writer is
lost is not known, and said so.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterable
from typing import Final
from urllib.parse import quote, unquote

import aiohttp
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from registry.errors import DecodeError, OutcomeUnknown, Overloaded, Refusal
from registry.http.problem import refusal_problem
from resolver.codecs.json_api.reply import Style, encode_refusal
from resolver.transports.http import CERTIFIED_NAME, AddRoutes, api_response, certified_name

NO_WRITER: Final = "the process that keeps the node's store is not there at the moment"
LOST: Final = "the process that keeps the node's store was lost before it replied"
#: What the writer is told about a request.
_FACTS: Final = ("Idnode-Remote", "Idnode-Scheme", "Idnode-Certified-Name")
_REMOTE, _SCHEME, _CERTIFIED = _FACTS
#: What belongs to a connection and not to what is sent over it (RFC 9110 section 7.6.1).
_OF_CONNECTION: Final = (
    hdrs.CONNECTION,
    hdrs.EXPECT,
    hdrs.KEEP_ALIVE,
    "Proxy-Connection",
    hdrs.TE,
    hdrs.TRAILER,
    hdrs.TRANSFER_ENCODING,
    hdrs.UPGRADE,
)
_REST: Final = "{rest:(?s:.*)}"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_BODILESS: Final = frozenset({204, 304})


class ForTheWriter(Exception):  # noqa: N818 - it is no failure
    """Whatever this request asks for, the writer has to answer it."""


# --- at a worker ---


class Forwarder:
    """Hands requests on to the writer at the address of a Unix socket. To be closed."""

    def __init__(self, address: str) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(address, limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=(hdrs.USER_AGENT, hdrs.ACCEPT, hdrs.ACCEPT_ENCODING),
        )

    async def close(self) -> None:
        await self._session.close()

    def routes(self, resources: Iterable[str]) -> AddRoutes:
        """Adds the paths of the writer's own resources, and what turns out to be for it."""

        def add(app: web.Application) -> None:
            app.middlewares.append(self._caught)
            for path in resources:
                app.router.add_route("*", path, self._streamed)

        return add

    @web.middleware
    async def _caught(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except ForTheWriter:
            return await self._forward(request, await request.read() or None)

    async def _streamed(self, request: web.Request) -> web.StreamResponse:
        return await self._forward(request, _body(request) if request.body_exists else None)

    async def _forward(
        self, request: web.Request, body: bytes | AsyncIterator[bytes] | None
    ) -> web.StreamResponse:
        """The writer's reply, or that there is none. Raises ConnectionError within a reply."""
        try:
            url = URL(f"http://writer{request.raw_path}", encoded=True)
            said = await self._session.request(
                request.method, url, headers=_onward(request), data=body, allow_redirects=False
            )
        except aiohttp.ClientConnectorError:
            return _refused(request, Overloaded(NO_WRITER))
        except (aiohttp.ClientError, OSError):
            safe = request.method in _SAFE
            return _refused(request, Overloaded(LOST) if safe else OutcomeUnknown(LOST))
        except ValueError:
            return _refused(request, DecodeError("the request has octets that are no text"))
        async with said:
            return await _relayed(request, said)


async def _body(request: web.Request) -> AsyncIterator[bytes]:
    """The body as it comes. Raises ConnectionError if it was cut off."""
    while octets := await request.content.readany():
        yield octets
    if getattr(request.protocol, "cut_off", False):
        raise ConnectionAbortedError("the body ends before its end")


def _onward(request: web.Request) -> CIMultiDict[str]:
    """The headers for the writer."""
    headers = _of_message(request.headers)
    headers[_REMOTE] = request.remote or ""
    headers[_SCHEME] = request.scheme
    if (certified := certified_name(request)) is not None:
        headers[_CERTIFIED] = quote(certified)
    return headers


def _of_message(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """The headers that are not those of one connection, nor ours."""
    kept = CIMultiDict(headers)
    named = headers.get(hdrs.CONNECTION, "").split(",")
    for name in (*_OF_CONNECTION, *_FACTS, *map(str.strip, named)):
        kept.popall(name, None)
    return kept


async def _relayed(request: web.Request, said: aiohttp.ClientResponse) -> web.StreamResponse:
    headers = _of_message(said.headers)
    response = web.StreamResponse(status=said.status, reason=said.reason, headers=headers)
    bodiless = request.method == hdrs.METH_HEAD or said.status in _BODILESS
    if hdrs.CONTENT_LENGTH not in headers and not bodiless:
        response.enable_chunked_encoding()
    await response.prepare(request)
    try:
        async for octets in said.content.iter_any():
            await response.write(octets)
    except aiohttp.ClientError as error:
        raise ConnectionAbortedError(LOST) from error
    await response.write_eof()
    return response


def _refused(request: web.Request, refusal: Refusal) -> web.Response:
    """A refusal in the form of the API that was asked."""
    if request.path.startswith("/api"):
        return api_response(encode_refusal(refusal, b"", Style()))
    status, headers, body = refusal_problem(refusal, instance=request.raw_path)
    return web.Response(status=status, headers=headers, body=body)


# --- at the writer ---


def add_forwarded(app: web.Application) -> None:
    """Has requests over the Unix socket taken for what they were when they reached the worker."""
    app.middlewares.append(_forwarded)


@web.middleware
async def _forwarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    transport = request.transport
    sock = transport.get_extra_info("socket") if transport is not None else None
    if sock is None or sock.family != socket.AF_UNIX:
        return await handler(request)
    headers = request.headers
    original = request.clone(remote=headers[_REMOTE], scheme=headers[_SCHEME])
    if _CERTIFIED in headers:
        original[CERTIFIED_NAME] = unquote(headers[_CERTIFIED])
    return await handler(original)


def paths_of(add_routes: Iterable[AddRoutes]) -> list[str]:
    """The paths of the resources that are added, those with variable parts up to the first one."""
    app = web.Application()
    for add in add_routes:
        add(app)
    found = (resource.canonical.partition("{") for resource in app.router.resources())
    return sorted({path + _REST if variable else path for path, variable, _ in found})
