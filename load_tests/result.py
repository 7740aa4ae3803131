"""What is known when a run is over: the summary that is printed, written, and compared later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from load_tests.health import Health
from load_tests.histogram import Histogram
from load_tests.observing import Hop
from load_tests.pacing import SECOND
from load_tests.series import Point
from load_tests.tally import Tally
from load_tests.thresholds import Judged

FORMAT: Final = 1
#: The percentiles that are given, by name.
PERCENTILES: Final = {
    "p50": 0.5,
    "p90": 0.9,
    "p95": 0.95,
    "p99": 0.99,
    "p99.9": 0.999,
    "p99.99": 0.9999,
    "max": 1.0,
}


class Figures(msgspec.Struct, frozen=True):
    """The figures of a load, or of all: counts, right replies a second, latencies in seconds.

    `latency` counts from the intended send time, `service` from the real one. `curve` is latency
    over the fraction of replies that were no slower.
    """

    sent: int
    unsent: int
    right: int
    wrong: int
    refused: int
    lost: int
    slow: int
    late: int
    strays: int
    rate: float
    seconds: float
    octets_sent: int
    octets_received: int
    latency: dict[str, float]
    service: dict[str, float]
    curve: list[tuple[float, float]]
    reasons: dict[str, int]
    examples: list[str]

    @property
    def failed(self) -> int:
        return self.wrong + self.refused + self.lost + self.unsent


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run. `planned` is how long requests were to be sent, in seconds.

    `started` is in ISO 8601, UTC; `nodes` are the growth of the nodes' counters; `target` says
    where each load went.
    """

    format: int = FORMAT
    profile: str
    title: dict[str, str]
    started: str
    planned: float
    interrupted: bool
    target: dict[str, str]
    health: Health
    thresholds: list[Judged]
    total: Figures
    loads: dict[str, Figures]
    points: list[Point]
    hops: list[Hop]
    nodes: dict[str, dict[str, float]]
    machine: dict[str, Any]

    @property
    def passed(self) -> bool:
        return all(judged.held for judged in self.thresholds)


def figures(tally: Tally) -> Figures:
    """The figures of a tally."""
    return Figures(
        sent=tally.sent,
        unsent=tally.unsent,
        right=tally.right,
        wrong=tally.wrong,
        refused=tally.refused,
        lost=tally.lost,
        slow=tally.slow,
        late=tally.late,
        strays=tally.strays,
        rate=tally.right / tally.seconds if tally.seconds else 0.0,
        seconds=tally.seconds,
        octets_sent=tally.octets_sent,
        octets_received=tally.octets_received,
        latency=percentiles(tally.latency),
        service=percentiles(tally.service),
        curve=curve(tally.latency),
        reasons=dict(sorted(tally.reasons.items(), key=lambda one: -one[1])),
        examples=list(tally.examples),
    )


def percentiles(histogram: Histogram) -> dict[str, float]:
    """Seconds by name of the percentile, and the mean."""
    named = {name: histogram.quantile(part) / SECOND for name, part in PERCENTILES.items()}
    return {**named, "mean": histogram.mean / SECOND}


def curve(histogram: Histogram) -> list[tuple[float, float]]:
    """Points of the percentile curve: every halving of the rest has five, down to one reply."""
    total = histogram.total
    if not total:
        return []
    wanted, rest = [], 1.0
    while rest * total >= 1:
        wanted.append(1 - rest)
        rest *= 0.5**0.2
    return [(part, histogram.quantile(part) / SECOND) for part in (*wanted, 1.0)]


def add_up(tallies: Sequence[Tally]) -> Tally:
    """Several generators' tallies as one."""
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


def by_load(tallies: Mapping[str, Sequence[Tally]]) -> dict[str, Tally]:
    """The tally of each load."""
    return {name: add_up(parts) for name, parts in tallies.items()}
