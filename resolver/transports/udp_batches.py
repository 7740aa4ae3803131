"""A UDP socket that is read and written in batches, in front of what answers from a packet cache.

A system call for each datagram costs more than the answer to a repeated request. Here a batch of
requests is looked up at once, and what was found goes out with one call; only the others go through
the front-end one by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from time import perf_counter
from typing import Final, Protocol, cast

from resolver.transports.batches import AVAILABLE, BATCH, SLOT, BatchSocket, Field
from resolver.transports.udp import UdpServer, bound_socket
from resolver.transports.waiting import Address, Replies, Waiting

#: Batches that one socket may take before the others have their turn.
TURNS: Final = 4


class DatagramFront(Protocol):
    """What a batch is put to.

    `masked` are the fields in which repeats of a request differ, first the id, which the answer has
    in the same place. Packets have at most `segment` octets each, where that is not 0.
    """

    @property
    def masked(self) -> Sequence[Field]: ...

    @property
    def segment(self) -> int: ...

    def at_once(
        self, datagrams: Sequence[bytes], hosts: Sequence[str], now: float
    ) -> list[bytes | None]:
        """The answer to each masked datagram from each host, counted, where it can be had at once.

        It is all of its packets one after another, at most `batches.SLOT` octets.
        """
        ...

    def answered(self, count: int, seconds: float) -> None:
        """So many of them went out so long after they were taken in."""
        ...

    def datagram(self, data: bytes, peer: Address) -> Replies | Awaitable[Replies]:
        """The answer to any datagram."""
        ...

    def unsent(self, count: int) -> None:
        """So many answers could not be sent."""
        ...


class BatchServer:
    """Serves a socket by batches.

    `received` datagrams are those `answered`, those `unanswered` (no answer was deserved, or none
    could be sent) and those `waiting`; what came besides and found no room is `lost`.
    """

    def __init__(self, front: DatagramFront, bound: BatchSocket) -> None:
        self.port = bound.port
        self._front = front
        self._socket = bound
        self._waiting = Waiting(self._send)
        self.received = self.answered = self.unanswered = 0
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(bound.fileno(), self._readable)

    @property
    def overflows(self) -> int:
        """Requests that found too many others waiting."""
        return self._waiting.overflows

    @property
    def waiting(self) -> int:
        """Requests whose answer has to come from elsewhere first."""
        return len(self._waiting)

    @property
    def lost(self) -> int:
        """Datagrams that the kernel had no room for."""
        return self._socket.lost

    async def drain(self, seconds: float) -> None:
        """Give waiting answers that long, then close the socket."""
        await self._waiting.drain(seconds)
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _readable(self) -> None:
        for _ in range(TURNS):
            count = self._socket.receive()
            if count:
                self._answer(count)
            if count < BATCH:
                return

    def _answer(self, count: int) -> None:
        started = perf_counter()
        self.received += count
        front, sock = self._front, self._socket
        found = front.at_once(sock.masked(count), sock.hosts(count), started)
        outgoing, sizes, first = sock.outgoing, sock.sizes, 0
        gaps = []
        for slot, octets in enumerate(found):
            if octets is not None:
                start, size = slot * SLOT, len(octets)
                outgoing[start : start + size] = octets
                sizes[slot] = size
            elif not self._ask(slot):
                sizes[slot] = 0
                gaps.append(slot)
        sock.set_ids(count)
        for gap in gaps:
            self._flush(first, gap)
            first = gap + 1
        self._flush(first, count)
        known = count - found.count(None)
        if known:
            front.answered(known, perf_counter() - started)

    def _ask(self, slot: int) -> bool:
        """Have a datagram answered; whether the answer is in its slot."""
        address = self._socket.address(slot)
        replies = self._front.datagram(self._socket.datagram(slot), address)
        if replies is None:
            self.unanswered += 1
            return False
        if not isinstance(replies, (tuple, list)):
            self._waiting.add(cast("Awaitable[Replies]", replies), address)
            return False
        octets = b"".join(replies)
        if len(octets) <= SLOT and (len(replies) == 1 or self._front.segment):
            self._socket.outgoing[slot * SLOT : slot * SLOT + len(octets)] = octets
            self._socket.sizes[slot] = len(octets)
            return True
        self._send(replies, address)
        return False

    def _flush(self, first: int, end: int) -> None:
        failed = self._socket.send(first, end)
        self._count(end - first - failed, failed)

    def _send(self, replies: Sequence[bytes], address: Address) -> None:
        """Send the packets of one answer; of a request that deserves none there are none."""
        if not replies:
            self.unanswered += 1
            return
        whole = sum(self._socket.send_to(reply, address) for reply in replies) == len(replies)
        self._count(whole, not whole)

    def _count(self, sent: int, failed: int) -> None:
        self.answered += sent
        if failed:
            self.unanswered += failed
            self._front.unsent(failed)


async def listen(front: DatagramFront, host: str, port: int) -> BatchServer | UdpServer:
    """Serve a UDP port in the best way that the system has. Raises OSError if it is taken."""
    if AVAILABLE:
        bound = BatchSocket(bound_socket(host, port), front.masked, front.segment)
        if bound.segment == front.segment:
            return BatchServer(front, bound)
        bound.close()
    return await UdpServer.bind(front.datagram, host, port)
