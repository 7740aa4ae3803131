"""Two processes of one node beside one: what a query costs them, and how many they get through.

    python -m load_tests.bench.workers [--out FILE] [--seconds S] [--rounds N] [--names N]

As many cores as there are processes serve, and as many generators run on the same ones: their time
is left out, and they come first, so that the processes always have something to do. The rate is
what the processes get through in a second of the busiest one's time. The kernel spreads sockets
over them by their ports, evenly only on average: the busiest one's share is told.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from load_tests.bench import loads
from load_tests.bench.figure import Figure, tell
from load_tests.bench.loads import Load
from load_tests.bench.news import staleness
from load_tests.bench.server import Topology, cpu_of, topology
from load_tests.measure import run_udp
from resolver.data_directory import DataDirectory
from resolver.topology import configs_directory

SECTOR: Final = "baijiu"
BASE_PORT: Final = 31_740
#: The goal for two processes, in ratios to one.
GOAL: Final = 1.8
#: Sockets of a generator, and its requests under way, a few milliseconds of work.
LANES: Final = 64
OUTSTANDING: Final = 512
#: The servers' priority: generators come first.
NICE: Final = 10


class Turn(NamedTuple):
    """What one turn took: CPU seconds per query, queries a second, the busiest process's share."""

    cpu: float
    rate: float
    busiest: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m load_tests.bench.workers")
    parser.add_argument("--out", type=Path, help="also write the figures here, as JSON")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each load")
    parser.add_argument("--rounds", type=int, default=3, help="how often each takes its turn")
    parser.add_argument("--names", type=int, default=20_000, help="names that are asked for")
    options = parser.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("two processes have nothing to share on one core")
    with tempfile.TemporaryDirectory(prefix="idnode-bench-") as directory:
        figures = compare(Path(directory), options)
    tell(figures, options.out)


def compare(directory: Path, options: argparse.Namespace) -> list[Figure]:
    """One process and two, in turns, over Handle and DNS."""
    with _serving(directory, 1, options.names) as one, _serving(directory, 2, options.names) as two:
        store = DataDirectory(directory / "data-1").store_url(SECTOR)
        known = asyncio.run(loads.records(store, options.names))
        figures: list[Figure] = []
        for load in (loads.over_handle(known), loads.over_dns(known)):
            asked = load._replace(templates=loads.popular(load.templates))
            turns: dict[int, list[Turn]] = {1: [], 2: []}
            for _ in range(options.rounds + 1):
                for count, node in ((1, one), (2, two)):
                    turns[count].append(_turn(node, asked, count, options.seconds))
            figures += _figures(load.name, turns[1][1:], turns[2][1:])
        figures += staleness(two, SECTOR, DataDirectory(directory / "data-2"))
        return figures


def _figures(name: str, one: Sequence[Turn], two: Sequence[Turn]) -> Iterator[Figure]:
    """The best turn of each: whatever else the machine does only adds to what they take."""
    cpu = [min(turn.cpu for turn in turns) * 1e6 for turns in (one, two)]
    rate = [max(turn.rate for turn in turns) for turns in (one, two)]
    busiest = statistics.median(turn.busiest for turn in two)
    beside = "one process"
    yield Figure(f"{name}, two processes: CPU", cpu[1], "us", peers={beside: cpu[0]})
    yield Figure(f"{name}, two processes: rate", rate[1], "/s", f">= {GOAL}", {beside: rate[0]})
    yield Figure(f"{name}, busiest of two: share", busiest * 100, "%")


def _turn(node: Topology, load: Load, processes: int, seconds: float) -> Turn:
    """Ask as fast as it goes, on as many cores as there are processes."""
    before = {pid: cpu_of(pid) for pid in node.server.pids}
    address = node.address(SECTOR, load.service)
    with _on_cores(processes):
        right = sum(_at_the_same_time(processes, lambda: _ask(address, load, seconds)))
    spent = sorted((cpu_of(pid) - before[pid] for pid in before), reverse=True)[:processes]
    return Turn(sum(spent) / right, right / spent[0], spent[0] / sum(spent))


def _ask(address: tuple[str, int], load: Load, seconds: float) -> int:
    """How many right replies there were."""
    summary = run_udp(
        address, load.templates, load.wire, seconds=seconds, outstanding=OUTSTANDING, lanes=LANES
    )
    if summary.wrong or not summary.tally.right:
        raise SystemExit(f"{load.name}: {summary.wrong} wrong replies: {summary.tally.reasons}")
    return summary.tally.right


def _at_the_same_time(count: int, work: Callable[[], int]) -> list[int]:
    """What as many processes come to. They have what this one has, and nothing is copied first."""
    fork = multiprocessing.get_context("fork")
    results = fork.SimpleQueue()
    forks = [fork.Process(target=lambda: results.put(work())) for _ in range(count)]
    for one in forks:
        one.start()
    for one in forks:
        one.join()
    if any(one.exitcode for one in forks):
        raise SystemExit("a generator failed")
    return [results.get() for _ in forks]


@contextmanager
def _serving(directory: Path, processes: int, names: int) -> Iterator[Topology]:
    """A topology whose sector node is served by so many processes, on as many cores."""
    text = (configs_directory() / "minimal.toml").read_text("utf-8")
    own = f'name = "{SECTOR}"\n'
    file = directory / f"workers-{processes}.toml"
    file.write_text(text.replace(own, f"{own}workers = {processes}\n"), "utf-8")
    data = directory / f"data-{processes}"
    base = BASE_PORT + 100 * processes
    with (
        _on_cores(processes),
        topology(str(file), data, None, base, ["--seed", str(names)]) as node,
    ):
        for pid in node.server.pids:
            os.setpriority(os.PRIO_PROCESS, pid, NICE)
        yield node


@contextmanager
def _on_cores(count: int) -> Iterator[None]:
    """Run on the first cores, with whatever is started meanwhile."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


if __name__ == "__main__":
    main()
