"""A UDP socket in front of a function from datagram to reply datagrams, one by one."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from time import time
from typing import Final, cast

from resolver.transports.account import Account
from resolver.transports.datagram_socket import ANCILLARY, DEADLINE, bound_socket, came
from resolver.transports.waiting import Address, Replies, Waiting

ServeDatagram = Callable[[bytes, Address], "Replies | Awaitable[Replies]"]

#: As large as a datagram gets.
_ROOM: Final = 65_535
#: Datagrams that one socket may take before the others have their turn.
_TURN: Final = 16


class UdpServer:
    """Passes each datagram to `serve` and sends what it returns; `account` says what became of it.

    For systems without batches. Order is that of arrival, and what is older than DEADLINE is
    dropped.
    """

    #: What finds no room is not told everywhere.
    lost: Final = 0

    def __init__(
        self,
        serve: ServeDatagram,
        bound: socket.socket,
        account: Account | None = None,
        clock: Callable[[], float] = time,
    ) -> None:
        self.port = int(bound.getsockname()[1])
        self.account = account or Account()
        self._serve = serve
        self._socket = bound
        self._clock = clock
        self._waiting = Waiting(self._send, self.account)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(bound.fileno(), self._readable)

    @classmethod
    async def bind(
        cls,
        serve: ServeDatagram,
        host: str,
        port: int,
        account: Account | None = None,
        *,
        shared: bool = False,
    ) -> UdpServer:
        """Open the socket. Raises OSError if the port is taken."""
        return cls(serve, bound_socket(host, port, shared=shared), account)

    async def drain(self, seconds: float) -> None:
        """Give waiting answers that long, then close the socket."""
        await self._waiting.drain(seconds)
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _readable(self) -> None:
        for _ in range(_TURN):
            try:
                data, ancillary, _, address = self._socket.recvmsg(_ROOM, ANCILLARY)
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:
                continue  # somebody did not want an earlier answer
            self.account.received += 1
            now = self._clock()
            if came(ancillary, now) < now - DEADLINE:
                self.account.dropped["aged"] += 1
            else:
                self._answer(data, address)

    def _answer(self, data: bytes, address: Address) -> None:
        if not self._waiting.has_room(address[0]):
            self.account.dropped["crowded"] += 1
            return
        replies = self._serve(data, address)
        if replies is None:
            self.account.dropped["unanswerable"] += 1
        elif isinstance(replies, (tuple, list)):
            self._send(replies, address)
        else:
            self._waiting.add(cast("Awaitable[Replies]", replies), address)

    def _send(self, replies: Sequence[bytes], address: Address) -> None:
        try:
            for reply in replies:
                self._socket.sendto(reply, address)
        except OSError:
            self.account.dropped["unsent"] += 1
        else:
            self.account.answered += 1
