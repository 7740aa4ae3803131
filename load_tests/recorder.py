"""Keeps the tally of a running generator, and a line for each of its seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from load_tests.pacing import SECOND
from load_tests.requests.template import Kind
from load_tests.tally import LATE, MAX_EXAMPLES, Second, Tally

#: Octets of a wrong reply that an example shows.
_SHOWN: Final = 512
OnSecond = Callable[[Second], None]


class Recorder:
    """Counts outcomes; times are nanoseconds of one monotonic clock, `start` is the run's.

    `deadline` is the longest latency of a reply that came in time. `on_second` gets every second
    that is over.
    """

    def __init__(
        self, start: int, deadline: int, on_second: OnSecond = lambda second: None
    ) -> None:
        self.tally = Tally()
        self._start = start
        self._deadline = deadline
        self._on_second = on_second
        self._second = Second(0)
        self._before = (0, 0, 0)
        self._last = start

    def sent(self, intended: int, now: int, octets: int) -> None:
        """A request went out."""
        tally = self.tally
        self._last = now
        lateness = now - intended
        tally.sent += 1
        tally.octets_sent += octets
        tally.lateness.record(lateness)
        if lateness >= LATE:
            tally.late += 1

    def right(self, intended: int, sent_at: int, now: int) -> None:
        """The right reply came."""
        tally = self.tally
        self._last = now
        latency = now - intended
        tally.right += 1
        self._second.latency.record(latency)
        tally.service.record(now - sent_at)
        if latency > self._deadline:
            tally.slow += 1

    def failed(self, kind: Kind, reason: str, reply: bytes = b"") -> None:
        """Some other reply came."""
        tally = self.tally
        tally.reasons[reason] += 1
        if kind is Kind.REFUSED:
            tally.refused += 1
            return
        tally.wrong += 1
        if len(tally.examples) < MAX_EXAMPLES:
            tally.examples.append(f"{reason}: {reply[:_SHOWN].hex()}")

    def lost(self, reason: str = "no reply") -> None:
        """A request was given up."""
        self.tally.lost += 1
        self.tally.reasons[reason] += 1

    def tick(self, now: int) -> None:
        """Close the seconds that are over."""
        while now >= self._start + (self._second.at + 1) * SECOND:
            self._close_second()

    def finish(self, now: int) -> None:
        """Close the second that has begun, and the run."""
        self.tick(now)
        self._close_second()
        # The wait for what never came is not part of the run.
        self.tally.seconds = (self._last - self._start) / SECOND

    def _close_second(self) -> None:
        tally, second = self.tally, self._second
        total = (tally.sent, tally.right, tally.failed)
        second.sent, second.right, second.failed = (
            now - before for now, before in zip(total, self._before, strict=True)
        )
        self._before = total
        tally.latency.add(second.latency)
        self._second = Second(second.at + 1)
        self._on_second(second)
