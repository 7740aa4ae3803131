"""A UDP socket in front of a function from datagram to reply datagrams."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

Address = tuple[Any, ...]
#: The datagrams to send back; None drops the request; an awaitable answers later.
Replies = Sequence[bytes] | None
ServeDatagram = Callable[[bytes, Address], "Replies | Awaitable[Replies]"]

#: Most requests of one socket that may wait for an answer from elsewhere.
MAX_WAITING = 4096
#: Room for about 0.2 s of requests at full speed; more would only grow stale.
RECEIVE_BUFFER = 1 << 22


class UdpServer(asyncio.DatagramProtocol):
    """Passes each datagram to `serve` and sends what it returns; `overflows` counts full waits."""

    def __init__(self, serve: ServeDatagram) -> None:
        self._serve = serve
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: set[asyncio.Future[Replies]] = set()
        self.overflows = 0

    @classmethod
    async def bind(cls, serve: ServeDatagram, host: str, port: int) -> UdpServer:
        """Open the socket. Raises OSError if the port is taken."""
        loop = asyncio.get_running_loop()
        _, server = await loop.create_datagram_endpoint(
            lambda: cls(serve), sock=_bound_socket(host, port)
        )
        return server

    @property
    def port(self) -> int:
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        replies = self._serve(data, addr)
        if replies is None:
            return
        if isinstance(replies, (tuple, list)):
            sendto = self._transport.sendto  # type: ignore[union-attr]
            for reply in replies:
                sendto(reply, addr)
        else:
            self._wait(cast("Awaitable[Replies]", replies), addr)

    def _wait(self, replies: Awaitable[Replies], addr: Address) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self.overflows += 1
            if asyncio.iscoroutine(replies):
                replies.close()
            return
        future = asyncio.ensure_future(replies)
        self._waiting.add(future)
        future.add_done_callback(lambda done: self._answer(done, addr))

    def _answer(self, done: asyncio.Future[Replies], addr: Address) -> None:
        self._waiting.discard(done)
        if done.cancelled():
            return
        if error := done.exception():
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a datagram's answer failed", "exception": error}
            )
            return
        if self._transport is not None and not self._transport.is_closing():
            for reply in done.result() or ():
                self._transport.sendto(reply, addr)

    async def drain(self, seconds: float) -> None:
        """Give waiting answers that long, then close the socket."""
        if self._waiting:
            await asyncio.wait(self._waiting, timeout=seconds)
        for future in list(self._waiting):
            future.cancel()
        if self._transport is not None:
            self._transport.close()


def _bound_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.setblocking(False)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
