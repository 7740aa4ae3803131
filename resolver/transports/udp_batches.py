"""A UDP socket that is read and written in batches, in front of what answers from a packet cache.

A system call for each datagram costs more than the answer to a repeated request. Here a batch of
requests is looked up at once, and what was found goes out with one call; only the others go through
the front-end one by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from time import perf_counter, time
from typing import Final, cast

from resolver.transports.account import Account
from resolver.transports.answers import SLOT
from resolver.transports.arrivals import Arrivals
from resolver.transports.backlog import Backlog
from resolver.transports.batches import AVAILABLE, BatchSocket
from resolver.transports.datagram_front import DatagramFront
from resolver.transports.datagram_socket import bound_socket
from resolver.transports.favour import Favour
from resolver.transports.fence import Fence
from resolver.transports.overload import TARGET, Overload
from resolver.transports.room import Room
from resolver.transports.slots import BATCH
from resolver.transports.udp import UdpServer
from resolver.transports.waiting import Address, Replies, Waiting

#: Batches that one socket may take before the others have their turn.
TURNS: Final = 4
#: Seconds that a datagram may have waited; a server that is later than that is behind.
LATE: Final = 0.05
#: The part of a socket's room that is taken where more presses in than is answered.
PRESSING: Final = 0.5


class BatchServer:
    """Serves a socket by batches; `account` says what became of each datagram.

    `clock` tells the Unix seconds that the kernel stamps datagrams with.
    """

    def __init__(
        self,
        front: DatagramFront,
        bound: BatchSocket,
        account: Account | None = None,
        clock: Callable[[], float] = time,
    ) -> None:
        self.port = bound.port
        self.account = account or Account()
        self._front = front
        self._socket = bound
        self._clock = clock
        self._waiting = Waiting(self._send, self.account)
        self._overload = Overload(Fence(self._hold_back), Room(bound.resize), self._forgone)
        self._backlog = Backlog(bound, self.account, self._overload)
        self._favour = Favour()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(bound.fileno(), self._readable)

    @property
    def lost(self) -> int:
        """Datagrams that the kernel had no room for, or held back for us."""
        return self._socket.lost

    async def drain(self, seconds: float) -> None:
        """Give waiting answers that long, then close the socket."""
        await self._waiting.drain(seconds)
        self._loop.remove_reader(self._socket.fileno())
        self._backlog.drop()
        self._socket.close()

    def _readable(self) -> None:
        if self._backlog:
            return
        sock, account = self._socket, self.account
        for _ in range(TURNS):
            count = sock.receive()
            if not count:
                self._overload.emptied()
                return
            account.received += count
            now = self._clock()
            waited = now - sock.batch.came(0)
            if waited > LATE:
                self._catch_up(now)
                return
            late = waited > TARGET and count == BATCH
            self._answer()
            self._overload.note(sock.batch, late, now, account.done)
            if count < BATCH:
                return

    def _catch_up(self, now: float) -> None:
        self._backlog.take_in(now)
        self._work_off(now)

    def _work_off(self, now: float) -> None:
        """Answer from the newest on; what is left when the turn ends has another one."""
        for _ in range(TURNS):
            self._backlog.take_up(now)
            if self._socket.batch.first < self._socket.batch.count:
                self._answer()
            if not self._backlog:
                return
        self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        if not self._backlog:
            return
        now = self._clock()
        if self._overload.is_standing:
            # There is more in the socket whenever it is looked at: the kernel drops it for less.
            self._work_off(now)
        else:
            self.account.received += self._socket.receive()
            self._catch_up(now)

    def _answer(self) -> None:
        """Answer the datagrams in hand."""
        started = perf_counter()
        front, sock, favour = self._front, self._socket, self._favour
        batch = sock.batch
        standing = self._overload.is_standing
        favour.begin(standing, standing and sock.fill > PRESSING)
        found, known = front.at_once(sock.masked(), batch, started, favour.admits)
        gaps: list[int] = []
        if known < len(found):
            batch.unmask()
            if favour.declines:
                found, gaps = self._put_off(found, batch)
            else:
                found, gaps = self._ask_others(found, batch)
        favour.served()
        sock.lay_out(cast("Sequence[bytes]", found))
        first = batch.first
        for gap in gaps:
            self._flush(first, gap)
            first = gap + 1
        self._flush(first, batch.count)
        if known:
            front.answered(known, perf_counter() - started)

    def _ask_others(
        self, found: Sequence[bytes | None], batch: Arrivals
    ) -> tuple[list[bytes], list[int]]:
        """What is to be sent to all of a batch, some of which is known, and to whom nothing is."""
        replies, gaps = [], []
        for slot, known in enumerate(found, batch.first):
            octets = self._ask(slot, batch) if known is None else known
            replies.append(octets)
            if not octets:
                gaps.append(slot)
        return replies, gaps

    def _put_off(
        self, found: Sequence[bytes | None], batch: Arrivals
    ) -> tuple[list[bytes], list[int]]:
        """The same where those that are not known are dropped."""
        gaps = [slot for slot, known in enumerate(found, batch.first) if known is None]
        self.account.dropped["uncached"] += len(gaps)
        return [known or b"" for known in found], gaps

    def _ask(self, slot: int, batch: Arrivals) -> bytes:
        """The answer to a datagram; empty if it gets none, or gets it in another way."""
        address = batch.address(slot)
        if not self._waiting.has_room(address[0]):
            self.account.dropped["crowded"] += 1
            return b""
        replies = self._front.datagram(batch.datagram(slot), address)
        if replies is None:
            self.account.dropped["unanswerable"] += 1
            return b""
        if not isinstance(replies, (tuple, list)):
            self._waiting.add(cast("Awaitable[Replies]", replies), address)
            return b""
        octets = b"".join(replies)
        if len(octets) <= SLOT and (len(replies) == 1 or self._front.segment):
            return octets
        self._send(replies, address)
        return b""

    def _flush(self, first: int, end: int) -> None:
        failed = self._socket.send(first, end)
        self._count(end - first - failed, failed)

    def _send(self, replies: Sequence[bytes], address: Address) -> None:
        """Send the packets of one answer."""
        whole = sum(self._socket.send_to(reply, address) for reply in replies) == len(replies)
        self._count(whole, not whole)

    def _count(self, sent: int, failed: int) -> None:
        self.account.answered += sent
        if failed:
            self.account.dropped["unsent"] += failed
            self._front.unsent(failed)

    def _forgone(self) -> int:
        """Datagrams that were not let in, and those put off."""
        return self._socket.lost + self.account.dropped["uncached"]

    def _hold_back(self, shares: Mapping[str, float]) -> None:
        with suppress(OSError):  # then those who send much get much
            self._socket.hold_back(shares)


async def listen(
    front: DatagramFront,
    host: str,
    port: int,
    account: Account | None = None,
    *,
    shared: bool = False,
) -> BatchServer | UdpServer:
    """Serve a UDP port, or a share of it, in the best way that the system has.

    Raises OSError if it is taken.
    """
    if AVAILABLE:
        bound = BatchSocket(bound_socket(host, port, shared=shared), front.masked, front.segment)
        if bound.segment == front.segment:
            return BatchServer(front, bound, account)
        bound.close()
    return await UdpServer.bind(front.datagram, host, port, account, shared=shared)
