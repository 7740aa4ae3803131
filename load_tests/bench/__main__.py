"""`make bench`: start-up, memory, and what an answer costs, printed and kept as data.

    python -m load_tests.bench [--out FILE] [--seconds S] [--rounds N] [--names N] [--store N]

Servers run on the first core this process may use, the generator on the last one, so that on two
cores each has its own. CPU per query is the server's, from /proc; the rate is what the generator
got through, and on a busy machine says as much of the generator.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Final

from load_tests.bench import loads, peers, streams, web
from load_tests.bench.cores import leave_first
from load_tests.bench.dns_peers import NAME_SERVERS
from load_tests.bench.figure import Figure, tell
from load_tests.bench.measuring import Contender, compare, once
from load_tests.bench.server import Server, Topology, topology
from registry.schemes.dns_name import to_name
from resolver.data_directory import DataDirectory
from resolver.topology import load as load_topology

BASE_PORT: Final = 31_640
PEER_PORT: Final = 31_600
ECHO_PORT: Final = 31_609
SECTOR: Final = "baijiu"
SMALL: Final = "minimal"


def start_up(directory: Path, core: int) -> list[Figure]:
    """Starting the whole default topology, and its memory."""
    data = directory / "sichuan"
    with topology("sichuan", data, core, BASE_PORT) as first:
        figures = [Figure("start, nothing there yet", first.seconds, "s", "<= 10")]
    with topology("sichuan", data, core, BASE_PORT) as again:
        figures.append(Figure("start, data in place", again.seconds, "s", "<= 3"))
        figures.append(Figure("resident, idle", again.server.resident, "MB", "<= 300"))
    return figures


def answers(directory: Path, core: int, options: argparse.Namespace) -> list[Figure]:
    """Warm answers of a sector node beside those of its peers, and cold ones."""
    data = directory / SMALL
    figures: list[Figure] = []
    with ExitStack() as stack:
        node = stack.enter_context(
            topology(SMALL, data, core, BASE_PORT, ["--seed", str(options.store)])
        )
        node.settle()
        store = DataDirectory(data).store_url(SECTOR)
        known = asyncio.run(loads.records(store, options.names))
        zone = load_topology(SMALL).zone
        names = [(to_name(key), record) for key, record in known]
        dns = loads.over_dns(known)
        others = [
            Contender(name, server, port, dns)
            for port, (name, serve) in enumerate(NAME_SERVERS.items(), PEER_PORT)
            if (server := _entered(stack, name, serve(directory, port, core, zone, names)))
        ]
        for load in (loads.over_handle(known), dns):
            asked = _node(node, load)
            cold = once(asked)
            with _echoes(directory, core, load) as echoes:
                figures += compare([asked, *others, *echoes], directory, options)
            figures.append(cold)
        figures.append(Figure("resident, after load", node.server.resident, "MB"))
        figures += streams.compare(node, SECTOR, directory, core, known, others, options)
        figures += web.compare(node, SECTOR, directory, core, known, options.seconds)
    return figures


@contextmanager
def _echoes(directory: Path, core: int, load: loads.Load) -> Iterator[list[Contender]]:
    """The echo, and one whose answers are as long as those to this load."""
    with ExitStack() as stack:
        yield [
            Contender(name, server, port, loads.echoed(load, octets))
            for port, (name, octets) in enumerate(
                (("echo", 0), ("echo of that length", loads.reply_size(load))), ECHO_PORT
            )
            if (server := stack.enter_context(peers.echo(directory, port, core, octets)))
        ]


def _entered(
    stack: ExitStack, name: str, server: AbstractContextManager[Server | None]
) -> Server | None:
    """A peer, running until the stack ends; None, and a word on it, where it is not installed."""
    running = stack.enter_context(server)
    if running is None:
        print(f"SKIP {name}: not installed")
    return running


def _node(node: Topology, load: loads.Load) -> Contender:
    return Contender(load.name, node.server, node.address(SECTOR, load.service)[1], load)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m load_tests.bench")
    parser.add_argument("--out", type=Path, help="also write the figures here, as JSON")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each load")
    parser.add_argument("--rounds", type=int, default=3, help="how often each takes its turn")
    parser.add_argument("--names", type=int, default=100_000, help="names that are asked for")
    parser.add_argument("--store", type=int, default=100_000, help="names in the store")
    options = parser.parse_args()
    core = leave_first()
    with tempfile.TemporaryDirectory(prefix="idnode-bench-") as directory:
        figures = start_up(Path(directory), core)
        figures += answers(Path(directory), core, options)
    tell(figures, options.out)


if __name__ == "__main__":
    main()
