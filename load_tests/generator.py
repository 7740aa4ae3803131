"""The loop of the load generator: one thread that sends when it is time and reads what has come."""

from __future__ import annotations

import gc
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from load_tests.batch_socket import BATCH
from load_tests.carrier import Carrier
from load_tests.pacing import SECOND, Pacer
from load_tests.recorder import Recorder
from load_tests.requests.template import Template

#: Nanoseconds between looks for what is lost and for seconds that are over.
_HOUSEKEEPING: Final = 10_000_000


def generate(
    carrier: Carrier,
    templates: Iterator[Template],
    pacer: Pacer,
    recorder: Recorder,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Send what the pacer says and take the replies, until nothing is due or under way.

    `stopped` ends the sending early. The carrier is closed. Raises OSError where the target cannot
    be sent to at all.
    """
    before = time.process_time()
    try:
        with _no_garbage_collection():
            _loop(carrier, templates, pacer, recorder, stopped)
    finally:
        carrier.close()
        recorder.tally.cpu += time.process_time() - before


def _loop(
    carrier: Carrier,
    templates: Iterator[Template],
    pacer: Pacer,
    recorder: Recorder,
    stopped: Callable[[], bool],
) -> None:
    clock = time.perf_counter_ns
    chores = clock()
    while True:
        now = clock()
        if now >= chores:
            chores = now + _HOUSEKEEPING
            carrier.expire(now)
            recorder.tick(now)
        ending = stopped()
        under_way = carrier.under_way
        due = [] if ending else pacer.due(now, under_way, BATCH)
        if due:
            carrier.send(due, templates, now)
        wait = None if ending else pacer.wait(now)
        if wait is None:
            if not under_way and not due:
                break
            wait = _HOUSEKEEPING / SECOND
        _exchange(carrier, 0.0 if len(due) == BATCH else wait)
    recorder.finish(clock())


def _exchange(carrier: Carrier, wait: float) -> None:
    """Wait for replies, at most so many seconds, and for room to write in."""
    readable, writable, _ = select.select(carrier.readers(), carrier.writers(), (), wait)
    for fd in writable:
        carrier.write(fd)
    for fd in readable:
        carrier.read(fd)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """No collector pauses within a run; what a run makes has no cycles.

    What was made before is best collected before the run's first request is due.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
