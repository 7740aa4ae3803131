"""Two processes of one node beside one: what a query costs them, and how many they get through.

    python -m load_tests.bench.workers [--out FILE] [--seconds S] [--rounds N] [--names N]

One process serves on the first core and is asked from the last one; two serve on both cores, which
their two askers are on as well. What an asker takes is left out: the rate is what the processes get
through in a second of the busiest one's time. The kernel spreads sockets over them by their ports,
evenly only on average: the busiest one's share is told. Beside them stands the echo in C, in one
process and in two, which shows what a second core costs the system itself.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from load_tests.bench import loads, peers
from load_tests.bench.asker import Asked, Asker
from load_tests.bench.figure import Figure, tell
from load_tests.bench.loads import Load
from load_tests.bench.news import staleness
from load_tests.bench.server import Server, Topology, cpu_of, minimal_with, topology
from load_tests.measure import run_udp
from resolver.data_directory import DataDirectory

SECTOR: Final = "baijiu"
BASE_PORT: Final = 31_740
ECHO_PORT: Final = 31_730
#: The goal for two processes, in ratios to one.
GOAL: Final = 1.8
#: Sockets of an asker, so many that the kernel spreads them evenly, and requests under way on each.
LANES: Final = 128
WINDOW: Final = 8


class Turn(NamedTuple):
    """What one turn took: CPU seconds per query, queries a second, the busiest process's share."""

    cpu: float
    rate: float
    busiest: float


class Crew(NamedTuple):
    """So many processes that serve a port together."""

    processes: int
    servers: Sequence[Server]
    port: int

    def asked(self, asker: Asker, seconds: float) -> Turn:
        """Have them asked for so long, from as many cores as they are on."""
        before = {pid: cpu_of(pid) for server in self.servers for pid in server.pids}
        cores = sorted(os.sched_getaffinity(0))[-self.processes :]

        def ask_from(core: int) -> Asked:
            os.sched_setaffinity(0, {core})  # of this thread, and of what it starts
            return asker.ask(self.port, seconds, lanes=LANES, window=WINDOW)

        with ThreadPoolExecutor(len(cores)) as threads:
            answers = sum(asked.answers for asked in threads.map(ask_from, cores))
        spent = sorted((cpu_of(pid) - then for pid, then in before.items()), reverse=True)
        busiest, all_of_them = spent[0], sum(spent[: self.processes])
        return Turn(all_of_them / answers, answers / busiest, busiest / all_of_them)


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
        tell(compare(Path(directory), options), options.out)


def compare(directory: Path, options: argparse.Namespace) -> Iterator[Figure]:
    """One process and two, in turns, over Handle and DNS."""
    with ExitStack() as stack:
        nodes = [stack.enter_context(_serving(directory, n, options.names)) for n in (1, 2)]
        echoes = [stack.enter_context(_echoing(directory, n)) for n in (1, 2)]
        for node in nodes:
            node.settle()
        store = DataDirectory(directory / "data-1").store_url(SECTOR)
        known = asyncio.run(loads.records(store, options.names))
        for load in (loads.over_handle(known), loads.over_dns(known)):
            asked = load._replace(templates=loads.popular(load.templates))
            for node in nodes:
                _check(node.address(SECTOR, load.service), asked, options.seconds)
            crews = [_crew(n, node, load) for n, node in enumerate(nodes, 1)]
            asker = Asker(directory, asked.templates, load.wire)
            turns = _take_turns([*crews, *echoes], asker, options)
            yield from _figures(load.name, turns[:2], turns[2:])
        yield from staleness(nodes[1], SECTOR, DataDirectory(directory / "data-2"))


def _take_turns(
    crews: Sequence[Crew], asker: Asker, options: argparse.Namespace
) -> list[list[Turn]]:
    turns: list[list[Turn]] = [[] for _ in crews]
    for _ in range(options.rounds):
        for crew, taken in zip(crews, turns, strict=True):
            taken.append(crew.asked(asker, options.seconds))
    return turns


def _figures(
    name: str, own: Sequence[Sequence[Turn]], echoes: Sequence[Sequence[Turn]]
) -> Iterator[Figure]:
    """The best turn of each: whatever else the machine does only adds to what they take."""
    cpu, echo_cpu = (
        [min(turn.cpu for turn in turns) * 1e6 for turns in crews] for crews in (own, echoes)
    )
    rate, echo_rate = (
        [max(turn.rate for turn in turns) for turns in crews] for crews in (own, echoes)
    )
    busiest = statistics.median(turn.busiest for turn in own[1])
    one, other = "one process", "one process (echo)"
    yield Figure(f"{name}, two processes: CPU", cpu[1], "us", peers={one: cpu[0]})
    yield Figure(f"{name}, two processes: rate", rate[1], "/s", f">= {GOAL}", {one: rate[0]})
    yield Figure(f"{name}, busiest of two: share", busiest * 100, "%")
    yield Figure("echo, two processes: CPU", echo_cpu[1], "us", peers={other: echo_cpu[0]})
    yield Figure("echo, two processes: rate", echo_rate[1], "/s", peers={other: echo_rate[0]})


def _check(address: tuple[str, int], load: Load, seconds: float) -> None:
    """Ask every process, and check every reply."""
    summary = run_udp(
        address, load.templates, load.wire, seconds=seconds, outstanding=4 * LANES, lanes=LANES
    )
    if summary.wrong or not summary.tally.right:
        raise SystemExit(f"{load.name}: {summary.wrong} wrong replies: {summary.tally.reasons}")


def _crew(processes: int, node: Topology, load: Load) -> Crew:
    return Crew(processes, [node.server], node.address(SECTOR, load.service)[1])


@contextmanager
def _serving(directory: Path, processes: int, names: int) -> Iterator[Topology]:
    """A topology whose sector node is served by so many processes, on as many cores."""
    file = minimal_with(directory, SECTOR, f"workers = {processes}")
    data = directory / f"data-{processes}"
    base = BASE_PORT + 100 * processes
    with ExitStack() as stack:
        with _on_cores(processes):
            started = topology(file, data, None, base, ["--seed", str(names)])
            node = stack.enter_context(started)
        yield node


@contextmanager
def _echoing(directory: Path, processes: int) -> Iterator[Crew]:
    """As many echoes, each on a core of its own."""
    port = ECHO_PORT + processes
    with ExitStack() as stack:
        cores = sorted(os.sched_getaffinity(0))[:processes]
        echoes = [stack.enter_context(peers.echo(directory, port, core)) for core in cores]
        yield Crew(processes, [echo for echo in echoes if echo is not None], port)


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
