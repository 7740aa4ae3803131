"""When requests are due: open loop by a schedule, closed loop by what is still unanswered.

An open-loop schedule is the inverse of the expected number of arrivals over time. Arrival i of a
constant process is due when i are expected; of a Poisson process, when a sum of i exponential steps
of mean one is. So ramps and bursts are exact, and no rounding adds up.

Times are nanoseconds of one monotonic clock.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, Protocol

SECOND: Final = 1_000_000_000


class Stage(NamedTuple):
    """A piece of a schedule: the rate goes evenly from `start` to `end` requests a second.

    `burst` requests come all at once at the beginning.
    """

    seconds: float
    start: float
    end: float
    burst: int = 0

    @property
    def arrivals(self) -> float:
        """How many requests are expected."""
        return self.burst + self.seconds * (self.start + self.end) / 2

    def instant(self, count: float) -> float:
        """Seconds into the stage when `count` arrivals (at most all) are expected."""
        count -= self.burst
        if count <= 0:
            return 0.0
        slope = (self.end - self.start) / self.seconds
        # The root of start * t + slope / 2 * t**2 = count, in the form that is stable for slope 0.
        root = math.sqrt(max(0.0, self.start * self.start + 2 * slope * count))
        return min(self.seconds, 2 * count / (self.start + root))


class Share(NamedTuple):
    """Which part of the arrivals is for one of `of` generators that share the work."""

    number: int = 0
    of: int = 1


def constant(stages: Sequence[Stage], share: Share = Share()) -> Iterator[int]:  # noqa: B008
    """Evenly spaced arrivals in nanoseconds from the start; the generators take turns."""
    return _instants(stages, _steps(share))


def poisson(
    stages: Sequence[Stage],
    seed: int,
    share: Share = Share(),  # noqa: B008
) -> Iterator[int]:
    """Arrivals of many independent clients; processes of several generators add up to the whole."""
    return _instants(stages, _exponential_steps(random.Random(f"{seed}/{share.number}"), share.of))


def _steps(share: Share) -> Iterator[float]:
    count = share.number
    while True:
        yield count
        count += share.of


def _exponential_steps(chance: random.Random, of: int) -> Iterator[float]:
    count = 0.0
    step = chance.expovariate
    mean = 1 / of
    while True:
        count += step(mean)
        yield count


def _instants(stages: Sequence[Stage], counts: Iterator[float]) -> Iterator[int]:
    """When each of the ascending counts is reached."""
    begin, passed = 0.0, 0.0
    count = next(counts)
    for stage in stages:
        arrivals, instant = stage.arrivals, stage.instant
        while count - passed < arrivals:
            yield round((begin + instant(count - passed)) * SECOND)
            count = next(counts)
        begin += stage.seconds
        passed += arrivals


class Pacer(Protocol):
    """Says what is to be sent."""

    def due(self, now: int, under_way: int, limit: int) -> list[int]:
        """The intended send times of the requests that are due, at most `limit`."""
        ...

    def wait(self, now: int) -> float | None:
        """Seconds until the next request is due at the latest; None if there is none any more."""
        ...


class OpenLoop:
    """Sends at the given times (nanoseconds from `start`), whatever is or is not answered."""

    def __init__(self, arrivals: Iterator[int], start: int) -> None:
        self._arrivals = (start + offset for offset in arrivals)
        self._next = next(self._arrivals, None)

    def due(self, now: int, under_way: int, limit: int) -> list[int]:
        due = []
        at, arrivals = self._next, self._arrivals
        while at is not None and at <= now and limit:
            due.append(at)
            at = next(arrivals, None)
            limit -= 1
        self._next = at
        return due

    def wait(self, now: int) -> float | None:
        return None if self._next is None else max(0, self._next - now) / SECOND


class ClosedLoop:
    """Keeps so many requests under way until `end`: each answer makes room for the next request.

    The first ones are sent however late it has become.
    """

    #: Answers wake the generator; only the end has to be noticed besides.
    _LONGEST_WAIT: Final = 0.05

    def __init__(self, outstanding: int, end: int) -> None:
        self._outstanding = outstanding
        self._end = end
        self._begun = False

    def due(self, now: int, under_way: int, limit: int) -> list[int]:
        if now >= self._end and self._begun:
            return []
        self._begun = True
        return [now] * min(limit, self._outstanding - under_way)

    def wait(self, now: int) -> float | None:
        if not self._begun:
            return 0.0
        left = (self._end - now) / SECOND
        return None if left <= 0 else min(left, self._LONGEST_WAIT)
