"""What is refused before any resource is asked: requests that are no HTTP, too long, too large.

aiohttp would answer them with texts of its own, which repeat octets of the request, and log a
traceback for each.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import msgspec
from aiohttp import hdrs, web
from aiohttp.http_exceptions import BadHttpMessage, BadHttpMethod, LineTooLong
from aiohttp.typedefs import Middleware

from registry import outcomes
from registry.http.request_id import HEADER, request_id
from registry.outcomes import Outcome

#: Most octets of a request target, and of all headers together.
MAX_TARGET: Final = 8190
MAX_HEADERS: Final = 16_384
#: What is taken from the wire at all; between the two limits a client is told which one it passed.
PARSER_LIMITS: Final[dict[str, Any]] = {
    "max_line_size": 65_536,
    "max_field_size": 65_536,
    "max_headers": 1024,
}
_OUTCOMES: Final[dict[int, tuple[Outcome, str]]] = {
    404: (outcomes.NOT_FOUND, "there is no such resource"),
    405: (outcomes.METHOD_NOT_ALLOWED, "the resource does not have this method"),
    413: (outcomes.TOO_LARGE, "the body is too large"),
}

_TOO_MANY: Final = "Too many headers received"
#: What the parser says -> what is said of it; the first that fits.
_UNREADABLE: Final[dict[type[BadHttpMessage], tuple[Outcome, str]]] = {
    LineTooLong: (outcomes.HEADERS_TOO_LARGE, "a line is too long"),
    BadHttpMethod: (outcomes.UNSUPPORTED, "the method is not known"),
    BadHttpMessage: (outcomes.MALFORMED, "the request cannot be read"),
}

#: Status, headers, body.
HttpReply = tuple[int, dict[str, str], bytes]


class Refuses(Protocol):
    """Whoever counts refusals and has words for them."""

    def refuse(self, outcome: Outcome, detail: str, target: str = "") -> HttpReply: ...


def response(reply: HttpReply) -> web.Response:
    status, headers, body = reply
    return web.Response(status=status, headers=headers, body=body)


def refusals(front: Refuses) -> Middleware:
    """Holds requests to their limits, and puts aiohttp's own refusals into our words."""

    @web.middleware
    async def refuse(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if len(request.raw_path) > MAX_TARGET:
            limit = f"at most {MAX_TARGET} octets"
            return _named(request, front.refuse(outcomes.URI_TOO_LONG, limit))
        if sum(len(name) + len(text) for name, text in request.raw_headers) > MAX_HEADERS:
            limit = f"at most {MAX_HEADERS} octets"
            return _named(request, front.refuse(outcomes.HEADERS_TOO_LARGE, limit))
        try:
            return await handler(request)
        except web.HTTPException as refused:
            if refused.status not in _OUTCOMES:
                raise
            said = _named(request, front.refuse(*_OUTCOMES[refused.status], request.raw_path))
            if hdrs.ALLOW in refused.headers:
                said.headers[hdrs.ALLOW] = refused.headers[hdrs.ALLOW]
            return said

    return refuse


def _named(request: web.Request, reply: HttpReply) -> web.Response:
    """The reply with the name of the request, in the problem document too."""
    name = request_id(request)
    status, headers, body = reply
    body = msgspec.json.encode({**msgspec.json.decode(body), "request_id": name})
    return web.Response(status=status, headers={**headers, HEADER: name}, body=body)


async def check_method(request: web.Request) -> None:
    """Raises HTTPMethodNotAllowed where the path is that of a resource without the method."""
    for resource in request.app.router.resources():
        _, allowed = await resource.resolve(request)
        if allowed and hdrs.METH_ANY not in allowed:
            raise web.HTTPMethodNotAllowed(request.method, sorted(allowed))


def unreadable(error: BaseException | None) -> tuple[Outcome, str]:
    """What is said of a request that the parser gave up."""
    if isinstance(error, BadHttpMessage) and error.message == _TOO_MANY:
        return outcomes.HEADERS_TOO_LARGE, "there are too many"
    fitting = (said for kind, said in _UNREADABLE.items() if isinstance(error, kind))
    return next(fitting, (outcomes.INTERNAL, ""))
