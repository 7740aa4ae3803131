"""The load generator for UDP: one thread, a few sockets, batches of datagrams."""

from __future__ import annotations

import gc
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from load_tests.batch_socket import BATCH, SLOT, BatchSocket
from load_tests.ledger import Ledger
from load_tests.pacing import SECOND, Pacer
from load_tests.recorder import Recorder
from load_tests.requests.template import Template, Wire

#: Sockets of one generator: several, so that a node with several receivers uses all of them, and
#: that 16-bit ids last.
LANES: Final = 8
#: Nanoseconds between looks for what is lost and for seconds that are over.
_HOUSEKEEPING: Final = 10_000_000


class _Lane:
    """A socket and the requests that went out of it."""

    def __init__(self, host: str, port: int, wire: Wire, ledger: Ledger) -> None:
        self.socket = BatchSocket(host, port)
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

    def drain(self, clock: Callable[[], int]) -> None:
        """Settle everything that has come."""
        socket, settle = self.socket, self.ledger.settle
        incoming, sizes = socket.incoming, socket.sizes
        while count := socket.receive():
            now = clock()
            for slot in range(count):
                settle(incoming, slot * SLOT, sizes[slot], now)
            if count < BATCH:
                return


def generate(
    host: str,
    port: int,
    wire: Wire,
    templates: Iterator[Template],
    pacer: Pacer,
    recorder: Recorder,
    *,
    patience: int,
    lanes: int = LANES,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Send what the pacer says and settle the replies, until nothing is due or under way.

    `patience` is how many nanoseconds a reply is waited for; `stopped` ends the sending early.
    Raises OSError where the target cannot be sent to at all.
    """
    opened = [_Lane(host, port, wire, Ledger(wire, recorder, patience)) for _ in range(lanes)]
    before = time.process_time()
    try:
        with _no_garbage_collection():
            _loop(opened, templates, pacer, recorder, stopped)
        recorder.tally.dropped += sum(lane.socket.drops for lane in opened)
        if refused := sum(lane.socket.refused for lane in opened):
            recorder.tally.reasons["nobody listens (ICMP)"] += refused
    finally:
        for lane in opened:
            lane.socket.close()
        recorder.tally.cpu += time.process_time() - before


def _loop(
    lanes: list[_Lane],
    templates: Iterator[Template],
    pacer: Pacer,
    recorder: Recorder,
    stopped: Callable[[], bool],
) -> None:
    clock = time.perf_counter_ns
    by_fd = {lane.socket.fileno(): lane for lane in lanes}
    fds = list(by_fd)
    turn, chores = 0, clock()
    while True:
        now = clock()
        if now >= chores:
            chores = now + _HOUSEKEEPING
            _housekeeping(lanes, recorder, now)
        ending = stopped()
        under_way = sum([len(lane.ledger) for lane in lanes])
        due = [] if ending else pacer.due(now, under_way, BATCH)
        if due:
            lanes[turn].send(due, templates, now)
            turn = (turn + 1) % len(lanes)
        wait = None if ending else pacer.wait(now)
        if wait is None:
            if not under_way and not due:
                break
            wait = _HOUSEKEEPING / SECOND
        ready = select.select(fds, (), (), 0 if len(due) == BATCH else wait)[0]
        for fd in ready:
            by_fd[fd].drain(clock)
    recorder.finish(clock())


def _housekeeping(lanes: list[_Lane], recorder: Recorder, now: int) -> None:
    for lane in lanes:
        lane.ledger.expire(now)
    recorder.tick(now)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """No collector pauses within a run; what a run makes has no cycles."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
