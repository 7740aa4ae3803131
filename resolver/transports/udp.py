"""A UDP socket in front of a function from datagram to reply datagrams."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from resolver.transports.waiting import Address, Replies, Waiting

ServeDatagram = Callable[[bytes, Address], "Replies | Awaitable[Replies]"]

#: Room for about 0.2 s of requests at full speed; more would only grow stale.
RECEIVE_BUFFER = 1 << 22


class UdpServer(asyncio.DatagramProtocol):
    """Passes each datagram to `serve` and sends what it returns."""

    def __init__(self, serve: ServeDatagram) -> None:
        self._serve = serve
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting = Waiting(self._send)

    @classmethod
    async def bind(cls, serve: ServeDatagram, host: str, port: int) -> UdpServer:
        """Open the socket. Raises OSError if the port is taken."""
        loop = asyncio.get_running_loop()
        _, server = await loop.create_datagram_endpoint(
            lambda: cls(serve), sock=bound_socket(host, port)
        )
        return server

    @property
    def port(self) -> int:
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    @property
    def overflows(self) -> int:
        """Requests that found too many others waiting."""
        return self._waiting.overflows

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        replies = self._serve(data, addr)
        if isinstance(replies, (tuple, list)):
            self._send(replies, addr)
        elif replies is not None:
            self._waiting.add(cast("Awaitable[Replies]", replies), addr)

    async def drain(self, seconds: float) -> None:
        """Give waiting answers that long, then close the socket."""
        await self._waiting.drain(seconds)
        if self._transport is not None:
            self._transport.close()

    def _send(self, replies: Sequence[bytes], address: Address) -> None:
        if self._transport is not None and not self._transport.is_closing():
            for reply in replies:
                self._transport.sendto(reply, address)


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket that receives what is sent there. Raises OSError if the port is taken."""
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
