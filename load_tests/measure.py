"""One measurement of one UDP service, and the search for the rate that saturates it.

templates = [handle.resolution(b"88.901/BOT-000001", record)]
summary = run_udp(("127.0.0.1", 2671), templates, handle.UDP, rate=20_000, seconds=10)
print(summary.rate, summary.p99, summary.lost, summary.wrong)
"""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from load_tests.datagrams import LANES, Datagrams
from load_tests.generator import generate
from load_tests.pacing import SECOND, ClosedLoop, OpenLoop, Pacer, Stage, constant, poisson
from load_tests.recorder import Recorder
from load_tests.requests.template import Template, Wire
from load_tests.tally import Tally

#: Replies after this many seconds are too late, and are waited for that long.
DEADLINE: Final = 1.0
PATIENCE: Final = 2.0
#: A rate is held if no more than this fraction of requests fails or goes out late.
TOLERANCE: Final = 0.001


class Summary(NamedTuple):
    """Right replies a second, latencies in seconds (from the intended send time), counts.

    `client_cpu` is the CPU seconds of the generator. `tally` has the rest.
    """

    rate: float
    p50: float
    p99: float
    lost: int
    wrong: int
    client_cpu: float
    tally: Tally

    @property
    def held(self) -> bool:
        """Whether the target answered everything rightly and the generator kept its schedule."""
        tally = self.tally
        allowed = TOLERANCE * max(1, tally.sent)
        return tally.failed + tally.unsent + tally.slow <= allowed and tally.late <= 10 * allowed


def summarise(tally: Tally) -> Summary:
    """The figures of a run that is over."""
    latency = tally.latency
    return Summary(
        tally.right / tally.seconds if tally.seconds else 0.0,
        latency.quantile(0.5) / SECOND,
        latency.quantile(0.99) / SECOND,
        tally.lost,
        tally.wrong,
        tally.cpu,
        tally,
    )


def run_udp(
    target: tuple[str, int],
    templates: Sequence[Template] | Iterable[Template],
    wire: Wire,
    *,
    seconds: float,
    rate: float | None = None,
    outstanding: int | None = None,
    seed: int | None = None,
    deadline: float = DEADLINE,
    patience: float = PATIENCE,
    lanes: int = LANES,
) -> Summary:
    """Ask for `seconds`, at `rate` requests a second or with `outstanding` ones under way.

    A sequence of templates is gone through again and again; an iterator must not end. With `seed`
    the arrivals are a Poisson process, otherwise evenly spaced. Lost is what has no reply after
    `patience` seconds; a right reply after `deadline` counts as slow. Raises ValueError unless
    exactly one of rate and outstanding is given, OSError where nothing can be sent.
    """
    gc.collect()
    start = time.perf_counter_ns()
    pacer = _pacer(start, seconds, rate, outstanding, seed)
    recorder = Recorder(start, round(deadline * SECOND))
    carrier = Datagrams(*target, wire, recorder, round(patience * SECOND), lanes)
    generate(carrier, _endless(templates), pacer, recorder)
    return summarise(recorder.tally)


def saturation(
    measure: Callable[[float], Summary], lowest: float, highest: float, *, precision: float = 0.05
) -> list[tuple[float, Summary]]:
    """Look for the highest rate that is held: every rate tried, in that order, with its figures.

    The rate doubles from `lowest` until one is not held or `highest` is reached; then the gap is
    halved until it is within `precision`.
    """
    tried: list[tuple[float, Summary]] = []

    def held(rate: float) -> bool:
        tried.append((rate, measure(rate)))
        return tried[-1][1].held

    good, bad, rate = 0.0, None, lowest
    while bad is None or (good and bad - good > precision * bad):
        if held(rate):
            good = rate
        else:
            bad = rate
        if good >= highest or (bad is not None and not good):
            break
        rate = min(2 * good, highest) if bad is None else (good + bad) / 2
    return tried


def _pacer(
    start: int, seconds: float, rate: float | None, outstanding: int | None, seed: int | None
) -> Pacer:
    if (rate is None) == (outstanding is None):
        raise ValueError("either a rate or a number of outstanding requests is needed")
    if outstanding is not None:
        return ClosedLoop(outstanding, start + round(seconds * SECOND))
    assert rate is not None
    stages = [Stage(seconds, rate, rate)]
    return OpenLoop(constant(stages) if seed is None else poisson(stages, seed), start)


def _endless(templates: Iterable[Template]) -> Iterator[Template]:
    return itertools.cycle(templates) if isinstance(templates, Sequence) else iter(templates)
