"""Measurements of services over UDP, taken in turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from load_tests.batch_socket import BATCH
from load_tests.bench.asker import Asker
from load_tests.bench.figure import Figure
from load_tests.bench.loads import Load, popular
from load_tests.bench.server import Server
from load_tests.datagrams import Datagrams
from load_tests.generator import generate
from load_tests.measure import Summary, summarise
from load_tests.pacing import SECOND, ClosedLoop
from load_tests.recorder import Recorder
from load_tests.requests.template import Template

#: Requests under way where every reply is checked.
OUTSTANDING: Final = 256
#: Nanoseconds after which a reply is lost, and that a pass through all names may take.
PATIENCE: Final = 2 * SECOND
LIMIT: Final = 3600 * SECOND


class Options(Protocol):
    """How long a turn lasts in seconds, and how many each gets."""

    seconds: float
    rounds: int


class Contender(NamedTuple):
    """A server, where it answers on this machine, and what it is asked."""

    name: str
    server: Server
    port: int
    load: Load


class Cost(NamedTuple):
    """CPU of the server per query in microseconds, right replies a second."""

    cpu: float
    rate: float


def compare(contenders: Sequence[Contender], directory: Path, options: Options) -> list[Figure]:
    """Popular names asked of each in turns: the first one's median figures beside the others'."""
    askers = [Asker(directory, popular(one.load.templates), one.load.wire) for one in contenders]
    for one in contenders:
        _pass_through(one)
    costs: list[list[Cost]] = [[] for _ in contenders]
    for _ in range(options.rounds):
        for one, asker, taken in zip(contenders, askers, costs, strict=True):
            taken.append(_cost(one, asker, options.seconds))
    for one in contenders:
        _pass_through(one)
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


def _cost(one: Contender, asker: Asker, seconds: float) -> Cost:
    before = one.server.cpu
    asked = asker.ask(one.port, seconds)
    spent = one.server.cpu - before
    if not asked.answers or asked.strange:
        raise SystemExit(f"{one.name}: {asked}")
    return Cost(spent / asked.answers * 1e6, asked.answers / asked.seconds)


def _pass_through(one: Contender) -> Summary:
    """Ask for every name once, but for the last few, and check every reply."""
    start = time.perf_counter_ns()
    recorder = Recorder(start, SECOND)
    carrier = Datagrams("127.0.0.1", one.port, one.load.wire, recorder, PATIENCE)
    left = _Left(one.load.templates)
    pacer = ClosedLoop(OUTSTANDING, start + LIMIT)
    generate(carrier, left, pacer, recorder, stopped=lambda: left.count < BATCH)
    summary = summarise(recorder.tally)
    if summary.wrong or not summary.tally.right:
        raise SystemExit(f"{one.name}: {summary.wrong} wrong replies: {summary.tally.reasons}")
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
