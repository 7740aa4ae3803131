"""Measurements of services, taken in turns; those over UDP are taken here."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from load_tests.batch_socket import BATCH
from load_tests.bench.asker import Asked, Asker
from load_tests.bench.figure import Figure
from load_tests.bench.loads import Load, popular
from load_tests.bench.server import Server
from load_tests.carrier import Carrier
from load_tests.datagrams import Datagrams
from load_tests.generator import generate
from load_tests.measure import Summary, summarise
from load_tests.pacing import SECOND, ClosedLoop
from load_tests.recorder import Recorder
from load_tests.requests.template import Template

#: Requests under way where every reply is checked.
OUTSTANDING: Final = 256
#: What a warm answer may cost.
GOAL: Final = "<= 1.25 x Knot, <= 1.6 x echo"
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


#: Asks a port for some seconds.
Ask = Callable[[int, float], Asked]
#: What carries requests to a contender.
Carry = Callable[[Contender, Recorder], Carrier]


def compare(contenders: Sequence[Contender], directory: Path, options: Options) -> list[Figure]:
    """Popular names asked of each in turns: the first one's median figures beside the others'."""
    askers = [Asker(directory, popular(one.load.templates), one.load.wire) for one in contenders]
    for one in contenders:
        pass_through(one, over_udp)
    costs = take_turns(contenders, [asker.ask for asker in askers], options)
    for one in contenders:
        pass_through(one, over_udp)
    return beside(f"{contenders[0].name}, warm", contenders, costs, GOAL)


def once(contender: Contender) -> Figure:
    """Every name asked for once, by a server that has answered none of them yet."""
    before = contender.server.cpu
    summary = pass_through(contender, over_udp)
    cost = (contender.server.cpu - before) / summary.tally.right * 1e6
    return Figure(f"{contender.name}, cold: CPU", cost, "us", "<= 20")


def take_turns(
    contenders: Sequence[Contender], asks: Sequence[Ask], options: Options
) -> list[Cost]:
    """Each asked in its turn by its own function: the median cost of each."""
    costs: list[list[Cost]] = [[] for _ in contenders]
    for _ in range(options.rounds):
        for one, ask, taken in zip(contenders, asks, costs, strict=True):
            taken.append(_cost(one, ask, options.seconds))
    return [Cost(*map(statistics.median, zip(*taken, strict=True))) for taken in costs]


def beside(
    name: str, contenders: Sequence[Contender], costs: Sequence[Cost], goal: str = ""
) -> list[Figure]:
    """The first one's figures beside those of the others."""
    own, others = costs[0], [(one.name, cost) for one, cost in zip(contenders, costs, strict=True)]
    cpu, rate = ({peer: cost[i] for peer, cost in others[1:]} for i in (0, 1))
    return [
        Figure(f"{name}: CPU", own.cpu, "us", goal, cpu),
        Figure(f"{name}: rate", own.rate, "/s", peers=rate),
    ]


def pass_through(one: Contender, carry: Carry) -> Summary:
    """Ask for every name once, but for the last few, and check every reply."""
    start = time.perf_counter_ns()
    recorder = Recorder(start, SECOND)
    left = _Left(one.load.templates)
    pacer = ClosedLoop(OUTSTANDING, start + LIMIT)
    generate(carry(one, recorder), left, pacer, recorder, stopped=lambda: left.count < BATCH)
    summary = summarise(recorder.tally)
    if summary.wrong or not summary.tally.right:
        raise SystemExit(f"{one.name}: {summary.wrong} wrong replies: {summary.tally.reasons}")
    return summary


def over_udp(one: Contender, recorder: Recorder) -> Carrier:
    """What carries the requests of a load of datagrams."""
    return Datagrams("127.0.0.1", one.port, one.load.wire, recorder, PATIENCE)


def _cost(one: Contender, ask: Ask, seconds: float) -> Cost:
    before = one.server.cpu
    asked = ask(one.port, seconds)
    spent = one.server.cpu - before
    if not asked.answers or asked.strange:
        raise SystemExit(f"{one.name}: {asked}")
    return Cost(spent / asked.answers * 1e6, asked.answers / asked.seconds)


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
