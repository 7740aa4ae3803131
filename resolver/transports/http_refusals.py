"""What is refused before any resource is asked: requests that are no HTTP, too long, too large.

aiohttp would answer them with texts of its own, which repeat octets of the request, and log a
traceback for each.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from aiohttp import StreamReader, hdrs, web
from aiohttp.http_exceptions import BadHttpMessage, BadHttpMethod, LineTooLong
from aiohttp.typedefs import Middleware

from registry import outcomes
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
            return response(front.refuse(outcomes.URI_TOO_LONG, f"at most {MAX_TARGET} octets"))
        if sum(len(name) + len(text) for name, text in request.raw_headers) > MAX_HEADERS:
            limit = f"at most {MAX_HEADERS} octets"
            return response(front.refuse(outcomes.HEADERS_TOO_LARGE, limit))
        try:
            return await handler(request)
        except web.HTTPException as refused:
            if refused.status not in _OUTCOMES:
                raise
            said = response(front.refuse(*_OUTCOMES[refused.status], request.raw_path))
            if hdrs.ALLOW in refused.headers:
                said.headers[hdrs.ALLOW] = refused.headers[hdrs.ALLOW]
            return said

    return refuse


async def check_method(request: web.Request) -> None:
    """Raises HTTPMethodNotAllowed where the path is that of a resource without the method."""
    for resource in request.app.router.resources():
        _, allowed = await resource.resolve(request)
        if allowed and hdrs.METH_ANY not in allowed:
            raise web.HTTPMethodNotAllowed(request.method, sorted(allowed))


class Connection(web.RequestHandler):
    """aiohttp's side of a connection, with our words for what it cannot read."""

    __slots__ = ("_body", "_front", "cut_off")

    def __init__(self, manager: web.Server, front: Refuses, **more: Any) -> None:
        super().__init__(manager, **PARSER_LIMITS, **more)
        self._front = front
        self._body: StreamReader | None = None
        self.cut_off = False

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._messages:
            self._body = self._messages[-1][1]

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Who sends no more may still hear the reply, also to a body that was not sent whole.

        What is there of such a body can be read; `cut_off` says that it is not all.
        """
        busy = self._waiter is None or bool(self._messages)
        tls = self.transport is None or self.transport.get_extra_info("sslcontext") is not None
        if tls or not busy:
            return None
        if self._body is not None and not self._body.is_eof():
            self.cut_off = True
            self._body.feed_eof()
        self.close()
        return True

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The last reply on a connection. Raises ConnectionError if another one has begun."""
        if not isinstance(exc, BadHttpMessage):
            self.log_exception("A request failed", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("a response has begun already")
        said = response(self._front.refuse(*_unreadable(exc)))
        said.force_close()
        return said


def _unreadable(error: BaseException | None) -> tuple[Outcome, str]:
    if isinstance(error, BadHttpMessage) and error.message == _TOO_MANY:
        return outcomes.HEADERS_TOO_LARGE, "there are too many"
    fitting = (said for kind, said in _UNREADABLE.items() if isinstance(error, kind))
    return next(fitting, (outcomes.INTERNAL, ""))
