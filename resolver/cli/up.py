"""`idnode up` and `idnode serve`: nodes in the foreground, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import click
import msgspec

from registry.errors import Refusal
from registry.storage.interface import StoreNotUsable
from resolver.cli.errors import Negative, Unsafe
from resolver.cli.output import note
from resolver.cli.running import data_option
from resolver.cli.welcome import welcome
from resolver.data_directory import DataDirectory, DirectoryInUse, write_atomically
from resolver.node import PortInUse
from resolver.supervisor import (
    Fleet,
    WorkerFailed,
    input_event,
    spread,
    start_nodes,
    stop_event,
    unless,
)
from resolver.topology import NodeSpec, Topology, TopologyError, load, with_base_port

DEFAULT_SEED = 1000
#: Objects made before Python looks for cycles among them, and how often it looks further back. The
#: default (700, 10, 10) has it search in vain most of the time that rows come in great numbers.
_COLLECT_AFTER = (10_000, 20, 50)


def _node_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What `up` and `serve` share."""
    for option in (
        click.option("--base-port", type=click.IntRange(1, 65_000), help="First port of all."),
        click.option(
            "--seed",
            type=click.IntRange(0),
            default=DEFAULT_SEED,
            show_default=True,
            help="Identifiers for each sector node that has none.",
        ),
        click.option(
            "--ready-file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Write the endpoints here when all nodes serve.",
        ),
        data_option,
    ):
        function = option(function)
    return function


@click.command()
@click.argument("topology", required=False)
@_node_options
@click.option("--processes", type=click.IntRange(1), default=1, show_default=True)
@click.option("--console-port", type=click.IntRange(0, 65_535), help="Port of the web console.")
def up(
    topology: str | None,
    base_port: int | None,
    seed: int,
    ready_file: Path | None,
    data: Path,
    processes: int,
    console_port: int | None,
) -> None:
    """Start every node of TOPOLOGY (a file, or a built-in name; default sichuan)."""
    chosen = _load(topology, base_port)
    directory = DataDirectory(data)
    with _refusals_explained(), directory.lock(f"idnode up {chosen.name}"):
        if processes == 1:
            _run(_serve(chosen, chosen.nodes, directory, seed, ready_file, greet=True))
        else:
            command = _worker_command(topology, base_port, seed, data)
            names = [node.name for node in chosen.nodes]
            _run(
                _supervise(chosen, Fleet(command, spread(names, processes)), directory, ready_file)
            )


@click.command()
@click.argument("node")
@click.argument("topology", required=False)
@_node_options
def serve(
    node: str,
    topology: str | None,
    base_port: int | None,
    seed: int,
    ready_file: Path | None,
    data: Path,
) -> None:
    """Start one NODE of TOPOLOGY, for a host of its own."""
    chosen = _load(topology, base_port)
    with _refusals_explained():
        _run(_serve(chosen, [_named(chosen, node)], DataDirectory(data), seed, ready_file))


@click.command(hidden=True)
@click.argument("names", nargs=-1)
@click.option("--topology")
@_node_options
def worker(
    names: tuple[str, ...],
    topology: str | None,
    base_port: int | None,
    seed: int,
    ready_file: Path | None,
    data: Path,
) -> None:
    """Serve some nodes for `up --processes`, until standard input ends."""
    chosen = _load(topology, base_port)
    with _refusals_explained():
        _run(_work(chosen, [_named(chosen, name) for name in names], DataDirectory(data), seed))


async def _serve(
    topology: Topology,
    specs: Sequence[NodeSpec],
    data: DataDirectory,
    seed: int,
    ready_file: Path | None,
    *,
    greet: bool = False,
) -> None:
    stop = stop_event()
    started = await unless(stop, start_nodes(topology, specs, data, seed))
    if started is None:
        return
    stack, nodes = started
    async with stack:
        _settle_memory()
        entries = [node.ready_entry() for node in nodes]
        _tell(topology, entries, data, ready_file)
        if greet:
            await welcome(data.path)
        await stop.wait()
        data.withdraw()
        note("draining")


async def _supervise(
    topology: Topology, fleet: Fleet, data: DataDirectory, ready_file: Path | None
) -> None:
    stop = stop_event()
    started = await unless(stop, fleet.start())
    if started is None:
        return
    async with AsyncExitStack() as stack:
        stack.push_async_callback(fleet.drain)
        order = [node.name for node in topology.nodes]
        started.sort(key=lambda entry: order.index(entry["name"]))
        _tell(topology, started, data, ready_file)
        await welcome(data.path)
        await stop.wait()
        data.withdraw()
        note("draining")


async def _work(
    topology: Topology, specs: Sequence[NodeSpec], data: DataDirectory, seed: int
) -> None:
    stop = await input_event()
    started = await unless(stop, start_nodes(topology, specs, data, seed))
    if started is None:
        return
    stack, nodes = started
    async with stack:
        _settle_memory()
        sys.stdout.buffer.write(msgspec.json.encode([node.ready_entry() for node in nodes]) + b"\n")
        sys.stdout.buffer.flush()
        await stop.wait()


def _settle_memory() -> None:
    """What is there once nodes serve stays: it need not be searched for garbage ever again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def _tell(
    topology: Topology, entries: list[dict[str, Any]], data: DataDirectory, ready_file: Path | None
) -> None:
    """Say that all nodes serve: in the data directory, in the ready file, and on the screen."""
    data.announce(entries)
    if ready_file is not None:
        ready = msgspec.json.encode({"console": None, "nodes": entries})
        write_atomically(ready_file, msgspec.json.format(ready, indent=2) + b"\n")
    total = sum(entry["identifiers"] for entry in entries)
    click.echo(f"ready: {len(entries)} nodes of {topology.name}, {total} identifiers")


def _load(topology: str | None, base_port: int | None) -> Topology:
    try:
        chosen = load(topology)
        return chosen if base_port is None else with_base_port(chosen, base_port)
    except TopologyError as error:
        raise Unsafe(str(error)) from None


def _named(topology: Topology, name: str) -> NodeSpec:
    try:
        return topology.node(name)
    except KeyError:
        names = ", ".join(node.name for node in topology.nodes)
        raise Unsafe(f"{topology.name} has no node {name!r}; it has {names}") from None


class _refusals_explained:  # noqa: N801 - reads as a phrase in a with statement
    """Turns what can go wrong at the start into one line and an exit status."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        match error:
            case DirectoryInUse():
                hint = "stop it, or choose another directory with --data"
                raise Negative(f"{error}; {hint}") from None
            case OSError(filename=str(name), strerror=str(reason)):
                hint = "choose another directory with --data"
                raise Negative(f"{name}: {reason}; {hint}") from None
            case PortInUse() | WorkerFailed() | Refusal():
                raise Negative(str(error)) from None
            case StoreNotUsable():
                raise Unsafe(str(error)) from None


def _run(main: Coroutine[Any, Any, None]) -> None:
    try:
        import uvloop
    except ImportError:
        factory = None
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)


def _worker_command(
    topology: str | None, base_port: int | None, seed: int, data: Path
) -> list[str]:
    command = [sys.executable, "-m", "resolver.cli", "worker", "--data", os.fspath(data)]
    command += ["--seed", str(seed)]
    if topology is not None:
        command += ["--topology", topology]
    if base_port is not None:
        command += ["--base-port", str(base_port)]
    return command
