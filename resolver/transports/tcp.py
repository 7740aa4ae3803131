"""A TCP listener in front of a stream splitter and a function from message to reply bytes.

A connection is kept for as many requests as its client sends; requests are answered in the order in
which their answers are ready (clients match them by request id).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, cast

from registry.errors import DecodeError
from resolver.transports.waiting import Address

Reply = bytes | None
Send = Callable[[bytes], Awaitable[None]]
#: Message and what is known of its connection to what is sent back.
ServeMessage = Callable[[bytes, Any], "Reply | Awaitable[Reply]"]

IDLE_SECONDS = 60.0
MAX_CONNECTIONS = 4096
#: Requests of one connection that may be under way; more wait in the kernel.
MAX_IN_FLIGHT = 64


class Splitter(Protocol):
    """Cuts a byte stream into messages. `failure` is set once no further message can follow."""

    @property
    def failure(self) -> DecodeError | None: ...

    def feed(self, data: bytes) -> list[bytes]: ...

    def finish(self) -> None:
        """The stream has ended. Raises DecodeError if that was within a message."""


class TcpServer:
    """Listens, and keeps at most MAX_CONNECTIONS connections; further ones are closed at once.

    `on_garbage` is told of a stream that cannot be cut into messages, or that ended within one;
    what it returns is sent before the connection is closed. `connected` makes what `serve` is given
    with each message of a connection, its peer's address if nothing else; the function that it gets
    sends something before the reply, at the peer's pace.
    """

    def __init__(
        self,
        serve: ServeMessage,
        splitter: Callable[[], Splitter],
        on_garbage: Callable[[DecodeError], Reply],
        idle_seconds: float = IDLE_SECONDS,
        connected: Callable[[Address, Send], Any] = lambda peer, send: peer,
    ) -> None:
        self.serve = serve
        self.splitter = splitter
        self.on_garbage = on_garbage
        self.idle_seconds = idle_seconds
        self.connected = connected
        self.connections: set[_Connection] = set()
        self.refused = 0
        self._server: asyncio.Server | None = None

    async def bind(self, host: str, port: int) -> None:
        """Open the listener. Raises OSError if the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), host, port, backlog=1024)

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def drain(self, seconds: float) -> None:
        """Stop listening, let requests under way finish for that long, then close everything."""
        if self._server is not None:
            self._server.close()
        waiting = [future for connection in self.connections for future in connection.in_flight]
        if waiting:
            await asyncio.wait(waiting, timeout=seconds)
        for connection in list(self.connections):
            connection.close()


class _Connection(asyncio.Protocol):
    def __init__(self, server: TcpServer) -> None:
        self._server = server
        self._splitter = server.splitter()
        self._transport: asyncio.Transport
        self._context: Any = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._loop = asyncio.get_running_loop()
        self._active = self._loop.time()
        self._idle: asyncio.TimerHandle | None = None
        self._ending = False
        self.in_flight: set[asyncio.Future[Reply]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername") or ()
        self._context = self._server.connected(peer, self.send)
        if len(self._server.connections) >= MAX_CONNECTIONS:
            self._server.refused += 1
            transport.close()
            return
        self._server.connections.add(self)
        self._rest()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        if self._idle is not None:
            self._idle.cancel()
        for future in list(self.in_flight):
            future.cancel()

    def data_received(self, data: bytes) -> None:
        self._active = self._loop.time()
        for message in self._splitter.feed(data):
            reply = self._server.serve(message, self._context)
            if reply is None or isinstance(reply, bytes):
                self._send(reply)
            else:
                self._wait(reply)
        if self._splitter.failure is not None:
            self._send(self._server.on_garbage(self._splitter.failure))
            self.close()

    def eof_received(self) -> bool:
        try:
            self._splitter.finish()
        except DecodeError as error:
            self._send(self._server.on_garbage(error))
        self._ending = True
        return bool(self.in_flight)

    def pause_writing(self) -> None:
        self._writable.clear()
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._writable.set()
        self._transport.resume_reading()

    async def send(self, message: bytes) -> None:
        """Send a message as soon as the peer has taken in most of those before it."""
        await self._writable.wait()
        self._send(message)

    def close(self) -> None:
        self._transport.close()

    def _send(self, reply: Reply) -> None:
        if reply is not None and not self._transport.is_closing():
            self._transport.write(reply)

    def _wait(self, reply: Awaitable[Reply]) -> None:
        future = asyncio.ensure_future(reply)
        self.in_flight.add(future)
        future.add_done_callback(self._answer)
        if len(self.in_flight) >= MAX_IN_FLIGHT:
            self._transport.pause_reading()

    def _answer(self, done: asyncio.Future[Reply]) -> None:
        self.in_flight.discard(done)
        if done.cancelled() or self._transport.is_closing():
            return
        if error := done.exception():
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a request's answer failed", "exception": error}
            )
            self.close()
            return
        self._send(done.result())
        if self._ending and not self.in_flight:
            self.close()
        elif len(self.in_flight) == MAX_IN_FLIGHT - 1 and not self._ending:
            self._transport.resume_reading()

    def _rest(self) -> None:
        """Look again when the idle time may be over: a timer for each request would cost more."""
        due = self._active + self._server.idle_seconds
        self._idle = self._loop.call_at(due, self._expire)

    def _expire(self) -> None:
        if self.in_flight:
            self._active = self._loop.time()
        if self._loop.time() < self._active + self._server.idle_seconds:
            self._rest()
        else:
            self.close()
