"""What a node does with twice the datagrams it can answer, and with a flood beside polite clients.

    python -m load_tests.bench.overload [--out FILE] [--seconds S]

The generator is slower than the node. So the node, on the first core, gets a sixth of that only:
the rest is burnt. The generator is on the last core and checks every reply; where it sends late,
the figures are its own.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from load_tests.bench import loads
from load_tests.bench.accounts import fetch
from load_tests.bench.cores import leave_first
from load_tests.bench.figure import Figure, tell
from load_tests.bench.peers import compiled
from load_tests.bench.server import Topology, topology
from load_tests.datagrams import Datagrams
from load_tests.generator import generate
from load_tests.measure import Summary, run_udp
from load_tests.pacing import SECOND, OpenLoop, Stage, constant
from load_tests.recorder import Recorder
from load_tests.requests import handle
from load_tests.requests.template import Template
from load_tests.tally import Second, Tally
from resolver.data_directory import DataDirectory

BASE_PORT: Final = 31_440
NODE: Final = "baijiu"
NAMES: Final = 20_000
#: Seconds within which an answer is worth something, and after which it is lost.
DEADLINE: Final = 0.2
PATIENCE: Final = 2.0
OUTSTANDING: Final = 256
#: Processes that take as much of the node's core as it does: it gets a sixth.
BURNERS: Final = 5
#: How many times the peak is offered, how much of it by polite clients, and after the overload.
OVERLOAD, POLITE, AFTER = 2.0, 0.2, 0.8
RECOVERED: Final = 0.95
FLOOD_SOURCE: Final = "127.0.0.2"
_FLOOD: Final = Path(__file__).with_name("flood.c")


class Target(NamedTuple):
    """A node, and what it is asked in turn."""

    node: Topology
    templates: Sequence[Template]

    @property
    def address(self) -> tuple[str, int]:
        return self.node.address(NODE, "handle")

    def ask(self, seconds: float, rate: float | None = None) -> Summary:
        """At a rate, or with as many requests under way as keep it busy."""
        return run_udp(
            self.address,
            self.templates,
            handle.UDP,
            seconds=seconds,
            rate=rate,
            outstanding=OUTSTANDING if rate is None else None,
            deadline=DEADLINE,
            patience=PATIENCE,
        )


@contextlib.contextmanager
def short_of_cpu(core: int) -> Iterator[None]:
    """Leave the node on a core a part of that only."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BURNERS)]
    for burner in burners:
        os.sched_setaffinity(burner.pid, {core})
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def twice_the_peak(target: Target, seconds: float) -> Iterator[Figure]:
    """Goodput, latency and recovery at twice the rate that the node can answer."""
    used = target.node.server.cpu
    peaks = [target.ask(seconds) for _ in range(3)]
    peak = max(summary.rate for summary in peaks)
    cost = (target.node.server.cpu - used) / sum(good(summary.tally) for summary in peaks)
    used = target.node.server.cpu
    over = target.ask(seconds, OVERLOAD * peak)
    over_cost = (target.node.server.cpu - used) / good(over.tally)
    goodput = good(over.tally) / over.tally.seconds
    after = recovery(target, AFTER * peak, 10.0)
    yield Figure("overload: peak", peak, "/s")
    yield Figure("overload: offered", over.tally.sent / seconds, "/s")
    yield Figure("overload: goodput, of the peak", 100 * goodput / peak, "%", ">= 90")
    yield Figure("overload: the same, by the node's CPU", 100 * cost / over_cost, "%")
    yield Figure("overload: wrong answers", over.wrong, "", "0")
    yield Figure("overload: p99 of answers", over.p99 * 1000, "ms", "<= 250")
    yield Figure("overload: recovered after", after, "s", "<= 10")
    late = over.tally.late / over.tally.sent
    yield Figure("overload: requests sent late", 100 * late, "%", "<= 5")


def good(tally: Tally) -> int:
    """Right answers in time."""
    return tally.right - tally.slow


def recovery(target: Target, rate: float, seconds: float) -> float:
    """Ask at a rate that can be answered: from which second on nearly all is, without a break."""
    answered: list[Second] = []
    start = time.perf_counter_ns()
    recorder = Recorder(start, round(DEADLINE * SECOND), answered.append)
    carrier = Datagrams(*target.address, handle.UDP, recorder, round(PATIENCE * SECOND))
    pacer = OpenLoop(constant([Stage(seconds, rate, rate)]), start)
    generate(carrier, itertools.cycle(target.templates), pacer, recorder)
    asked = answered[: int(seconds)]
    bad = [second.at for second in asked if second.right < RECOVERED * second.sent]
    return max(bad) + 1.0 if bad else 0.0


def beside_a_flood(target: Target, program: Path, seconds: float) -> Iterator[Figure]:
    """What polite clients get while one source sends as fast as it can."""
    rate = POLITE * target.ask(seconds).rate
    alone = target.ask(seconds, rate)
    command = [str(program), FLOOD_SOURCE, str(target.address[1]), str(seconds + 1)]
    flood = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert flood.stdin is not None
    flood.stdin.write(target.templates[0].request)
    flood.stdin.close()
    beside = target.ask(seconds, rate)
    assert flood.stdout is not None
    sent = int(flood.stdout.read())
    flood.wait()
    yield Figure("flood: sent by one source", sent / (seconds + 1), "/s")
    yield Figure("flood: polite clients ask", rate, "/s")
    for name, summary in (("alone", alone), ("flood", beside)):
        tally = summary.tally
        yield Figure(f"{name}: polite answered in time", 100 * good(tally) / tally.sent, "%")
        yield Figure(f"{name}: p99 of polite answers", summary.p99 * 1000, "ms")
    yield Figure("flood: wrong answers", beside.wrong, "", "0")


def accounted(target: Target, seconds: float) -> Iterator[Figure]:
    """Every datagram that was sent is among those received or lost, each of these ended once."""
    metrics, rate = target.node.url(NODE, "metrics"), OVERLOAD * target.ask(1.0).rate
    before = fetch(metrics, "handle-udp")
    over = target.ask(seconds, rate)
    after = fetch(metrics, "handle-udp")
    known = after.received + after.lost - before.received - before.lost
    yield Figure("account: sent", over.tally.sent, "")
    yield Figure("account: received and lost, but not sent", known - over.tally.sent, "", "0")
    yield Figure("account: received, but not ended", after.balance, "", "0")


@contextlib.contextmanager
def target_on(core: int) -> Iterator[Target]:
    """A sector node on a core, every name of which has been asked for once."""
    with tempfile.TemporaryDirectory(prefix="idnode-overload-") as directory:
        data = Path(directory) / "minimal"
        with topology("minimal", data, core, BASE_PORT, ["--seed", str(NAMES)]) as node:
            known = asyncio.run(loads.records(DataDirectory(data).store_url(NODE), NAMES))
            templates = loads.over_handle(known).templates
            target = Target(node, loads.popular(templates))
            target.ask(2.0)
            yield target


@contextlib.contextmanager
def flooding() -> Iterator[Path | None]:
    """The program that floods; None without a C compiler."""
    with tempfile.TemporaryDirectory(prefix="idnode-flood-") as directory:
        yield compiled(_FLOOD, Path(directory))


def measure(core: int, seconds: float) -> Iterator[Figure]:
    """All figures of overload over UDP."""
    with target_on(core) as target, flooding() as program, short_of_cpu(core):
        yield from twice_the_peak(target, seconds)
        yield from accounted(target, seconds)
        if program is not None:
            yield from beside_a_flood(target, program, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m load_tests.bench.overload")
    parser.add_argument("--out", type=Path, help="also write the figures here, as JSON")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each load")
    options = parser.parse_args()
    tell(measure(leave_first(), options.seconds), options.out)


if __name__ == "__main__":
    main()
