"""What a node does with twice the datagrams it can answer, and with floods beside polite clients.

    python -m load_tests.bench.overload [--out FILE] [--seconds S]

The node has the first core, everybody who asks the last one. Beside those who ask more than it can
answer, and look at ids and times only, there is one who asks little and checks every reply.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from load_tests.bench import loads
from load_tests.bench.accounts import fetch
from load_tests.bench.asker import Asker, Flood, Presser, Second
from load_tests.bench.cores import leave_first
from load_tests.bench.figure import Figure, tell
from load_tests.bench.server import Topology, topology
from load_tests.measure import Summary, run_udp
from load_tests.requests import handle
from load_tests.requests.template import Template
from resolver.data_directory import DataDirectory

BASE_PORT: Final = 31_440
NODE: Final = "baijiu"
PREFIX: Final = "88.901.7"
NAMES: Final = 20_000
#: Seconds within which an answer is worth something, and after which it is lost.
DEADLINE: Final = 0.2
PATIENCE: Final = 2.0
OUTSTANDING: Final = 256
#: How many times the peak is offered, how much of it by polite clients, and after the overload for
#: so many seconds.
OVERLOAD, POLITE, AFTER = 2.0, 0.2, 0.8
WATCHED: Final = 10
RECOVERED: Final = 0.95
#: Requests a second whose replies are checked.
CHECKED: Final = 1000.0
#: Addresses that junk and questions about unknown names come from, and how many of them there are.
SOURCES: Final = 64
JUNK: Final = 200_000
SEED: Final = 7
#: Seconds that a flood goes on for longer than polite clients ask, for they begin later.
FLOOD_LEAD: Final = 2


class Target(NamedTuple):
    """A node, what it is asked in turn, and who asks it more than it can answer."""

    node: Topology
    templates: Sequence[Template]
    asker: Asker
    presser: Presser

    @property
    def address(self) -> tuple[str, int]:
        return self.node.address(NODE, "handle")

    def ask(self, seconds: float, rate: float | None = None) -> Summary:
        """At a rate, or with as many requests under way as keep it busy; replies are checked."""
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

    def peak(self, seconds: float) -> float:
        """Answers a second, as fast as it can."""
        asked = self.asker.ask(self.address[1], seconds)
        return asked.answers / asked.seconds

    def press(self, *stages: tuple[float, int]) -> Pressed:
        """At so many requests a second for so many seconds, then the next; some are checked."""
        length = sum(seconds for _, seconds in stages)
        with ThreadPoolExecutor(1) as threads:
            told = threads.submit(self.presser.press, self.address[1], stages, DEADLINE)
            checked = self.ask(length, CHECKED)
            seconds, strange = told.result()
        return Pressed(seconds, strange + checked.wrong, checked)


class Pressed(NamedTuple):
    """Each second; wrong answers; what became of those requests whose replies were checked."""

    seconds: list[Second]
    wrong: int
    checked: Summary

    def in_time(self, first: int = 0, end: int | None = None) -> float:
        """Of what was sent in some of the seconds: the part answered in time."""
        some = self.seconds[first:end]
        return sum(one.in_time for one in some) / sum(one.sent for one in some)


def twice_the_peak(target: Target, seconds: int) -> Iterator[Figure]:
    """Goodput, latency and recovery at twice the rate that the node can answer."""
    cpu = target.node.server
    used = cpu.cpu
    peaks = [target.peak(seconds) for _ in range(3)]
    cost = (cpu.cpu - used) / (sum(peaks) * seconds)
    peak, used = max(peaks), cpu.cpu
    over = target.press((OVERLOAD * peak, seconds))
    over_cost = (cpu.cpu - used) / sum(one.in_time for one in over.seconds)
    goodput = sum(one.in_time for one in over.seconds) / seconds
    yield Figure("overload: peak", peak, "/s")
    yield Figure("overload: offered", sum(one.sent for one in over.seconds) / seconds, "/s")
    yield Figure("overload: goodput, of the peak", 100 * goodput / peak, "%", ">= 90")
    yield Figure("overload: the same, by the node's CPU", 100 * cost / over_cost, "%")
    yield Figure("overload: wrong answers", over.wrong, "", "0")
    worst = max(one.p99 for one in over.seconds)
    yield Figure("overload: p99 of answers", worst * 1000, "ms", "<= 250")
    after = target.press((OVERLOAD * peak, seconds), (AFTER * peak, WATCHED))
    yield Figure("overload: recovered after", recovery(after.seconds[seconds:]), "s", "<= 10")


def recovery(seconds: Sequence[Second]) -> int:
    """From which second on nearly all is answered in time, without a break."""
    bad = [at for at, one in enumerate(seconds) if one.in_time < RECOVERED * one.sent]
    return max(bad) + 1 if bad else 0


def beside_floods(target: Target, place: Path, seconds: int) -> Iterator[Figure]:
    """What polite clients get alone, and while others send as fast as they can."""
    rate = int(POLITE * target.peak(seconds))
    yield Figure("polite clients ask", rate, "/s")
    yield from _polite("alone", target.press((rate, seconds)))
    known = [one.request for one in target.templates[:JUNK]]
    floods = {
        "flood of one source": Flood(place, known[:1], 1),
        "junk": Flood(place, junk(known), SOURCES),
        "unknown names": Flood(place, unknown(JUNK), SOURCES),
    }
    for name, flood in floods.items():
        with ThreadPoolExecutor(1) as threads:
            sent = threads.submit(flood.send, target.address[1], seconds + FLOOD_LEAD)
            pressed = target.press((rate, seconds))
        yield Figure(f"{name}: sent", sent.result() / (seconds + FLOOD_LEAD), "/s")
        yield from _polite(name, pressed)


def _polite(name: str, pressed: Pressed) -> Iterator[Figure]:
    worst = max(one.p99 for one in pressed.seconds)
    yield Figure(f"{name}: polite answered in time", 100 * pressed.in_time(), "%")
    yield Figure(f"{name}: the same, after the first second", 100 * pressed.in_time(1), "%")
    yield Figure(f"{name}: p99 of polite answers", worst * 1000, "ms")
    yield Figure(f"{name}: wrong answers", pressed.wrong, "", "0")


def junk(requests: Sequence[bytes]) -> Iterator[bytes]:
    """What is no request: random octets, requests cut short, and with an octet changed, in turn."""
    random = Random(SEED)
    for turn, request in enumerate(requests):
        at = random.randrange(len(request))
        yield (
            random.randbytes(len(request)),
            request[:at],
            request[:at] + random.randbytes(1) + request[at + 1 :],
        )[turn % 3]


def unknown(count: int) -> Iterator[bytes]:
    """Requests about names that are not registered with the node."""
    for number in range(count):
        yield handle.resolution(f"{PREFIX}/NOBODY-{number}".encode(), b"").request


def accounted(target: Target, seconds: int) -> Iterator[Figure]:
    """Every datagram that was sent is among those received or lost, each of these ended once."""
    metrics, rate = target.node.url(NODE, "metrics"), OVERLOAD * target.peak(1.0)
    time.sleep(PATIENCE)  # what that left under way has ended
    before = fetch(metrics, "handle-udp")
    over = target.press((rate, seconds))
    after = fetch(metrics, "handle-udp")
    sent = sum(one.sent for one in over.seconds) + over.checked.tally.sent
    known = after.received + after.lost - before.received - before.lost
    yield Figure("account: sent", sent, "")
    yield Figure("account: received and lost, but not sent", known - sent, "", "0")
    yield Figure("account: received, but not ended", after.balance, "", "0")


@contextlib.contextmanager
def target_on(core: int) -> Iterator[Target]:
    """A sector node on a core, every name of which has been asked for once."""
    with tempfile.TemporaryDirectory(prefix="idnode-overload-") as directory:
        data = Path(directory) / "minimal"
        with topology("minimal", data, core, BASE_PORT, ["--seed", str(NAMES)]) as node:
            node.settle()
            known = asyncio.run(loads.records(DataDirectory(data).store_url(NODE), NAMES))
            templates = loads.popular(loads.over_handle(known).templates)
            place = Path(directory)
            target = Target(
                node,
                templates,
                Asker(place, templates, handle.UDP),
                Presser(place, templates, handle.UDP),
            )
            target.ask(2.0)
            yield target


def measure(core: int, seconds: int) -> Iterator[Figure]:
    """All figures of overload over UDP."""
    with target_on(core) as target, tempfile.TemporaryDirectory(prefix="idnode-flood-") as place:
        yield from twice_the_peak(target, seconds)
        yield from accounted(target, seconds)
        yield from beside_floods(target, Path(place), seconds)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m load_tests.bench.overload")
    parser.add_argument("--out", type=Path, help="also write the figures here, as JSON")
    parser.add_argument("--seconds", type=int, default=5, help="length of each load")
    options = parser.parse_args()
    tell(measure(leave_first(), options.seconds), options.out)


if __name__ == "__main__":
    main()
