"""Seconds of several generators put together: a line of figures for each second of the run."""

from __future__ import annotations

from typing import NamedTuple

from load_tests.pacing import SECOND
from load_tests.tally import Second


class Point(NamedTuple):
    """A second of the run over all generators; latencies in seconds, of replies that came in it."""

    at: int
    sent: int
    right: int
    failed: int
    p50: float
    p99: float
    longest: float


class Series:
    """Adds seconds up until all generators have told theirs, and keeps the figures alone."""

    def __init__(self, generators: int) -> None:
        self.points: list[Point] = []
        self._generators = generators
        self._open: dict[int, tuple[Second, int]] = {}

    def feed(self, second: Second) -> None:
        """A generator's second. They come in order from each, but not from all alike."""
        known, told = self._open.get(second.at, (None, 0))
        if known is not None:
            known.add(second)
        self._open[second.at] = (known or second, told + 1)
        self._close(told_by=self._generators)

    def finish(self) -> None:
        """No more will come, though not every generator told of every second."""
        self._close(told_by=1)

    def _close(self, told_by: int) -> None:
        while (found := self._open.get(len(self.points))) and found[1] >= told_by:
            self.points.append(_point(found[0]))
            del self._open[found[0].at]


def _point(second: Second) -> Point:
    latency = second.latency
    return Point(
        second.at,
        second.sent,
        second.right,
        second.failed,
        latency.quantile(0.5) / SECOND,
        latency.quantile(0.99) / SECOND,
        latency.longest / SECOND,
    )
