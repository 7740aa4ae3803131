"""A TCP connection to a Handle server that carries many requests, matched by request id."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Self, cast

from registry.errors import DecodeError
from resolver.codecs.handle.framing import MessageStream
from resolver.codecs.handle.reply import NO_REQUEST
from resolver.transports.outbound import ExchangeFailed, Silent, Unreachable, Unusable

#: Takes one message of a reply, True while more follow. Raises DecodeError for an unusable one,
#: and whatever else is to end the exchange.
Receive = Callable[[bytes], bool]
_REQUEST_ID: Final = slice(8, 12)
#: Octets waiting to be sent above which requests wait.
_MAX_UNSENT: Final = 256 * 1024


class ConnectionLost(ExchangeFailed):
    """The connection ended after the request was sent: whether it was done is not known."""


class KeptConnection(asyncio.Protocol):
    """One connection; `answered` counts the replies that came on it in full."""

    def __init__(self) -> None:
        self.answered = 0
        self.closed = False
        self._stream = MessageStream()
        self._waiting: dict[bytes, tuple[Receive, asyncio.Future[None]]] = {}
        self._transport: asyncio.Transport
        self._writable = asyncio.Event()
        self._writable.set()

    @classmethod
    async def open(cls, host: str, port: int, seconds: float) -> Self:
        """Connect. Raises Unreachable, Silent."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                _, connection = await loop.create_connection(cls, host, port)
        except TimeoutError:
            raise Silent("no connection in time") from None
        except OSError as error:
            raise Unreachable(str(error)) from None
        return connection

    async def exchange(self, request: bytes, receive: Receive, seconds: float) -> None:
        """Send a request and hand each message of its reply to `receive`, until it has the last.

        `seconds` is how long each message may take. Raises Silent, Unusable, ConnectionLost, and
        what `receive` raises.
        """
        request_id = request[_REQUEST_ID]
        done = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds) as limit:
                await self._writable.wait()
                if self.closed:
                    raise ConnectionLost("the connection is closed")
                self._waiting[request_id] = (_prolonging(receive, limit, seconds), done)
                self._transport.write(request)
                await done
        except TimeoutError:
            raise Silent("no reply in time") from None
        finally:
            self._waiting.pop(request_id, None)
        self.answered += 1

    def close(self) -> None:
        """Hang up; who still waits gets a ConnectionLost."""
        if not self.closed:
            self._transport.abort()

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(_MAX_UNSENT)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(ConnectionLost("the connection ended before the reply"))

    def eof_received(self) -> None:
        """The server has nothing more to say."""

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        for message in self._stream.feed(data):
            self._take(message)
        if self._stream.failure is not None:
            self._fail(Unusable(f"the stream cannot be read: {self._stream.failure}"))

    def _take(self, message: bytes) -> None:
        request_id = message[_REQUEST_ID]
        if int.from_bytes(request_id, "big") == NO_REQUEST:
            self._fail(Unusable("the server could not read a request"))
            return
        receive, done = self._waiting.get(request_id, (None, None))
        if receive is None or done is None or done.done():
            return  # too late, nobody waits for it any more
        try:
            if not receive(message):
                done.set_result(None)
        except DecodeError as error:
            done.set_exception(Unusable(str(error)))
        except Exception as error:  # the receiver's own way to end the exchange
            done.set_exception(error)

    def _fail(self, why: ExchangeFailed) -> None:
        self._end(why)
        self._transport.abort()

    def _end(self, why: ExchangeFailed) -> None:
        self.closed = True
        self._writable.set()
        for _, done in self._waiting.values():
            if not done.done():
                done.set_exception(why)


def _prolonging(receive: Receive, limit: asyncio.Timeout, seconds: float) -> Receive:
    """The receiver, each message of which starts the wait anew."""
    now = asyncio.get_running_loop().time

    def prolonged(message: bytes) -> bool:
        more = receive(message)
        if more and not limit.expired():
            limit.reschedule(now() + seconds)
        return more

    return prolonged
