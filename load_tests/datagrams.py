"""Requests over UDP: a few sockets, batches of datagrams."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Final

from load_tests.batch_socket import BATCH, SLOT, BatchSocket
from load_tests.ledger import Ledger
from load_tests.recorder import Recorder
from load_tests.requests.template import Template, Wire

#: Sockets of one generator: several, so that a node with several receivers uses all of them, and
#: that 16-bit ids last.
LANES: Final = 8


class Datagrams:
    """The carrier for UDP; `patience` is how many nanoseconds a reply is waited for."""

    def __init__(
        self,
        host: str,
        port: int,
        wire: Wire,
        recorder: Recorder,
        patience: int,
        lanes: int = LANES,
    ) -> None:
        self._recorder = recorder
        self._lanes = [
            _Lane(BatchSocket(host, port), wire, Ledger(wire, recorder, patience))
            for _ in range(lanes)
        ]
        self._by_fd = {lane.socket.fileno(): lane for lane in self._lanes}
        self._fds = list(self._by_fd)
        self._turn = 0

    @property
    def under_way(self) -> int:
        return sum([len(lane.ledger) for lane in self._lanes])

    def readers(self) -> Sequence[int]:
        return self._fds

    def writers(self) -> Sequence[int]:
        return ()

    def send(self, intended: list[int], templates: Iterator[Template], now: int) -> None:
        self._turn = (self._turn + 1) % len(self._lanes)
        self._lanes[self._turn].send(intended, templates, now)

    def read(self, fd: int) -> None:
        self._by_fd[fd].drain()

    def write(self, fd: int) -> None:
        raise AssertionError("a datagram is sent whole or not at all")

    def expire(self, now: int) -> None:
        for lane in self._lanes:
            lane.ledger.expire(now)

    def close(self) -> None:
        tally = self._recorder.tally
        for lane in self._lanes:
            tally.dropped += lane.socket.drops
            if lane.socket.refused:
                tally.reasons["nobody listens (ICMP)"] += lane.socket.refused
            lane.socket.close()


class _Lane:
    """A socket and the requests that went out of it."""

    def __init__(self, socket: BatchSocket, wire: Wire, ledger: Ledger) -> None:
        self.socket = socket
        self.ledger = ledger
        self._id_at = wire.id_at
        self._pack = wire.id.pack_into

    def send(self, intended: list[int], templates: Iterator[Template], now: int) -> None:
        """Send the next requests, at most a batch."""
        outgoing, lengths = self.socket.outgoing, self.socket.lengths
        open_, pack, id_at = self.ledger.open, self._pack, self._id_at
        filled = 0
        for due in intended:
            template = next(templates)
            ident = open_(template, due, now)
            if ident is None:
                continue
            request, start = template.request, filled * SLOT
            size = len(request)
            outgoing[start : start + size] = request
            pack(outgoing, start + id_at, ident)
            lengths[filled] = size
            filled += 1
        sent = 0
        while sent < filled:
            sent += self.socket.send(sent, filled)

    def drain(self) -> None:
        """Settle everything that has come."""
        socket, settle, clock = self.socket, self.ledger.settle, time.perf_counter_ns
        incoming, sizes = socket.incoming, socket.sizes
        while count := socket.receive():
            now = clock()
            for slot in range(count):
                settle(incoming, slot * SLOT, sizes[slot], now)
            if count < BATCH:
                return
