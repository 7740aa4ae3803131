"""A connection whose plain requests are answered before aiohttp parses them.

Where a request ends is known here only of plain ones. So anything else that arrives, be it part of
a request or several at once, makes the connection aiohttp's own from its first octet on.
"""

from __future__ import annotations

from typing import Final, Protocol

from aiohttp import web
from aiohttp.http import SERVER_SOFTWARE

from resolver.codecs.plain_http import PlainRequests, target_of
from resolver.transports.http_connection import Connection, Service

#: How aiohttp calls itself in its replies.
SERVER: Final = SERVER_SOFTWARE
#: Header sections are those of clients, whichever node they ask.
_requests = PlainRequests()


class PlainFront(Protocol):
    """What answers plain requests."""

    def reply(self, line: bytes) -> bytes | None:
        """The reply to a request line, None if aiohttp has to see the request."""
        ...


class PlainConnection(Connection):
    """aiohttp's side of a connection, asked for what `plain` has no reply to."""

    __slots__ = ("_between", "_plain")

    def __init__(self, manager: web.Server, service: Service, plain: PlainFront) -> None:
        super().__init__(manager, service)
        self._plain = plain
        #: Whether what arrives next is the beginning of a request.
        self._between = True

    def data_received(self, data: bytes) -> None:
        if self._between and self._answer(data):
            return
        super().data_received(data)

    def _answer(self, data: bytes) -> bool:
        """Whether these octets are one request, and it is answered."""
        line = _requests.line_of(data)
        if line is not None and self._idle and (reply := self._plain.reply(line)) is not None:
            assert self.transport is not None
            self.transport.write(reply)
            self.answered_at_once()
            return True
        self._between = line is not None and target_of(line) is not None
        return False

    @property
    def _idle(self) -> bool:
        """Whether aiohttp has sent all it had to send, and the client takes it in."""
        waiter = self._waiter
        return (
            waiter is not None
            and not waiter.done()
            and not self._paused
            and not (self._close or self._force_close or self._turned_away)
        )
