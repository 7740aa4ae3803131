"""One HTTP connection: aiohttp's side of it, with our bounds and our words.

aiohttp bounds what it parses ahead. It has no deadline for a client that sends a header section or
a body slowly, or that takes in nothing of its reply, and serves whoever comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import BadHttpMessage

from registry import outcomes
from resolver.transports.account import Account
from resolver.transports.connections import Admission, Connections, Patience
from resolver.transports.http_refusals import PARSER_LIMITS, Refuses, response, unreadable
from resolver.transports.shares import Shares

_TOO_MUCH: Final = "too many requests are under way; please try again later"
_SILENT: Final[dict[str, Any]] = {"access_log": None}

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Service:
    """What the connections of a listener have in common: who refuses, counts, and their bounds."""

    front: Refuses
    account: Account
    connections: Connections
    under_way: Shares
    patience: Patience


class Connection(web.RequestHandler):
    """A `connections.Peer`."""

    __slots__ = (
        "_body",
        "_due",
        "_rested",
        "_service",
        "_source",
        "_stalled",
        "_turned_away",
        "cut_off",
    )

    def __init__(self, manager: web.Server, service: Service) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(manager, loop=loop, **_SILENT, **PARSER_LIMITS)
        self._service = service
        self._source = ""
        self._turned_away = False
        #: When the last request ended, when what is being sent must be whole, and when the client
        #: stopped taking in its reply.
        self._rested = loop.time()
        self._due: float | None = None
        self._stalled: float | None = None
        self._body: StreamReader | None = None
        self.cut_off = False

    # --- connections.Peer ---

    @property
    def resting_since(self) -> float | None:
        return self._rested if self._at_rest and self._stalled is None else None

    def is_late(self, now: float) -> bool:
        patience = self._service.patience
        if self._stalled is not None:
            return now > self._stalled + patience.reading
        if self._due is not None:
            # Whom we do not read from has all the time.
            return now > self._due and not self._reading_paused
        if not self._at_rest:
            return False
        return now > self._rested + (patience.refusal if self._turned_away else patience.rest)

    def end(self) -> None:
        if self.transport is None:
            return
        if self._due is not None and self._at_rest:
            self._service.account.received += 1
            self._service.account.dropped["ended"] += 1
        if self._at_rest and self._stalled is None:
            self.force_close()
        else:
            self.transport.abort()

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername") or ("",)
        self._source = str(peer[0])
        super().connection_made(transport)
        admission = self._service.connections.admit(self, self._source)
        self._turned_away = admission is Admission.REFUSED
        if admission is Admission.CLOSED:
            cast(asyncio.Transport, transport).abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._service.connections.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._messages:
            self._body = self._messages[-1][1]
        self._progress(len(data))

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
            self._due = None
        self.close()
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self._loop.time()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stalled = None

    def resume_reading(self, resume_parser: bool = True) -> None:
        if self._due is not None:
            self._due = self._loop.time() + self._service.patience.message
        super().resume_reading(resume_parser)

    # --- aiohttp ---

    async def _handle_request(
        self, request: web.BaseRequest, start_time: float | None, request_handler: Handler
    ) -> tuple[web.StreamResponse, bool]:
        """Have a request answered, if there is room for it, and count what became of it."""
        account, places = self._service.account, self._service.under_way
        account.received += 1
        account.waiting += 1
        admitted = not self._turned_away and places.take(self._source)
        gone = True
        try:
            handler = request_handler if admitted else self._busy
            said, gone = await super()._handle_request(request, start_time, handler)
            # A connection that is lost while it is stalled has not taken in its reply.
            gone = gone or self._stalled is not None
            return said, gone
        finally:
            self._rested = self._loop.time()
            account.waiting -= 1
            if admitted:
                places.give_back(self._source)
            if gone:
                account.dropped["ended"] += 1
            elif admitted:
                account.answered += 1
            else:
                account.refused += 1

    async def _busy(self, request: web.BaseRequest) -> web.StreamResponse:
        said = response(self._service.front.refuse(outcomes.BUSY, _TOO_MUCH, request.raw_path))
        if self._turned_away:
            said.force_close()
        return said

    def answered_at_once(self) -> None:
        """Count a request that was answered before aiohttp saw it."""
        self._service.account.received += 1
        self._service.account.answered += 1
        self._rested = self._loop.time()

    @property
    def _at_rest(self) -> bool:
        """Whether no request has come in full that is not answered."""
        waiter = self._waiter
        return waiter is not None and not waiter.done() and not self._messages

    def _progress(self, octets: int) -> None:
        """Have the request that is coming be whole in time, the sooner the slower it comes."""
        if not octets:
            return
        now, patience = self._loop.time(), self._service.patience
        whole = self._body is None or self._body.is_eof()
        if whole and not self._at_rest:
            self._due = None
        elif self._due is None:
            self._due = now + patience.message
        else:
            self._due = min(self._due + octets / patience.rate, now + patience.message)

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
        said = response(self._service.front.refuse(*unreadable(exc)))
        said.force_close()
        return said
