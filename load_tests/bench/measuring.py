"""Measurements of services over UDP, taken in turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from load_tests.batch_socket import BATCH
from load_tests.bench.figure import Figure
from load_tests.bench.loads import Load, popular
from load_tests.bench.server import Server
from load_tests.datagrams import Datagrams
from load_tests.generator import generate
from load_tests.measure import Summary, run_udp, summarise
from load_tests.pacing import SECOND, ClosedLoop
from load_tests.recorder import Recorder
from load_tests.requests.template import Template

#: Requests under way: enough to keep a server busy, not so many that they wait long.
OUTSTANDING: Final = 256
#: Nanoseconds after which a reply is lost, and that a pass through all names may take.
PATIENCE: Final = 2 * SECOND
LIMIT: Final = 3600 * SECOND


class Options(Protocol):
    """How long a turn lasts in seconds, and how many each gets."""

    seconds: float
    rounds: int


class Contender(NamedTuple):
    """A server, where it answers, and what it is asked."""

    name: str
    server: Server
    address: tuple[str, int]
    load: Load


class Cost(NamedTuple):
    """CPU of the server per query in microseconds, right replies a second."""

    cpu: float
    rate: float


def compare(contenders: Sequence[Contender], options: Options) -> list[Figure]:
    """Popular names asked of each in turns: the first one's median figures beside the others'."""
    asked = [popular(one.load.templates) for one in contenders]
    for one in contenders:
        _pass_through(one)
    costs: list[list[Cost]] = [[] for _ in contenders]
    for _ in range(options.rounds):
        for one, templates, taken in zip(contenders, asked, costs, strict=True):
            taken.append(_cost(one, templates, options.seconds))
    cpu = [statistics.median(cost.cpu for cost in taken) for taken in costs]
    rate = [statistics.median(cost.rate for cost in taken) for taken in costs]
    names = [one.name for one in contenders]
    name = f"{names[0]}, warm"
    return [
        Figure(f"{name}: CPU", cpu[0], "us", peers=dict(zip(names[1:], cpu[1:], strict=True))),
        Figure(f"{name}: rate", rate[0], "/s", peers=dict(zip(names[1:], rate[1:], strict=True))),
    ]


def once(contender: Contender) -> Figure:
    """Every name asked for once, by a server that has answered none of them yet."""
    before = contender.server.cpu
    summary = _pass_through(contender)
    cost = (contender.server.cpu - before) / summary.tally.right * 1e6
    return Figure(f"{contender.name}, cold: CPU", cost, "us", "<= 20")


def _cost(one: Contender, templates: Sequence[Template], seconds: float) -> Cost:
    before = one.server.cpu
    summary = run_udp(
        one.address, templates, one.load.wire, seconds=seconds, outstanding=OUTSTANDING
    )
    spent = one.server.cpu - before
    _hold(one, summary)
    return Cost(spent / summary.tally.right * 1e6, summary.rate)


def _pass_through(one: Contender) -> Summary:
    """Ask for every name once, but for the last few."""
    start = time.perf_counter_ns()
    recorder = Recorder(start, SECOND)
    carrier = Datagrams(*one.address, one.load.wire, recorder, PATIENCE)
    left = _Left(one.load.templates)
    pacer = ClosedLoop(OUTSTANDING, start + LIMIT)
    generate(carrier, left, pacer, recorder, stopped=lambda: left.count < BATCH)
    summary = summarise(recorder.tally)
    _hold(one, summary)
    return summary


class _Left:
    """An iterator that knows how many are left."""

    def __init__(self, templates: Sequence[Template]) -> None:
        self._templates = iter(templates)
        self.count = len(templates)

    def __iter__(self) -> Iterator[Template]:
        return self

    def __next__(self) -> Template:
        self.count -= 1
        return next(self._templates)


def _hold(one: Contender, summary: Summary) -> None:
    if summary.wrong or not summary.tally.right:
        raise SystemExit(f"{one.name}: {summary.wrong} wrong replies: {summary.tally.reasons}")
