"""`idnode up` and `idnode serve`: nodes in the foreground, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import click
import msgspec

from registry.errors import Refusal
from registry.storage.interface import StoreNotUsable
from resolver.cli.errors import Negative, Unsafe
from resolver.cli.launch import Launch, launch_options, named
from resolver.cli.output import note
from resolver.cli.welcome import welcome
from resolver.data_directory import DataDirectory, DirectoryInUse, write_atomically
from resolver.exposure import UnsafeToExpose, check_files
from resolver.fleet import Fleet, ProcessFailed, members
from resolver.node import PortInUse
from resolver.supervisor import input_event, start_nodes, start_workers, stop_event, unless
from resolver.topology import NodeSpec, Topology

#: Objects made before Python looks for cycles among them, and how often it looks further back. The
#: default (700, 10, 10) has it search in vain most of the time that rows come in great numbers.
_COLLECT_AFTER = (10_000, 20, 50)

_topology_argument = click.argument("topology", required=False)
_ready_file_option = click.option(
    "--ready-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the endpoints here when all nodes serve.",
)


@click.command()
@_topology_argument
@launch_options
@_ready_file_option
@click.option("--processes", type=click.IntRange(1), default=1, show_default=True)
@click.option("--console-port", type=click.IntRange(0, 65_535), help="Port of the web console.")
def up(launch: Launch, ready_file: Path | None, processes: int, console_port: int | None) -> None:
    """Start every node of TOPOLOGY (a file, or a built-in name; default sichuan)."""
    topology = launch.load()
    with _refusals_explained(), launch.directory.lock(f"idnode up {topology.name}"):
        _serve(launch, topology, topology.nodes, ready_file, processes, greet=True)


@click.command()
@click.argument("node")
@_topology_argument
@launch_options
@_ready_file_option
def serve(launch: Launch, node: str, ready_file: Path | None) -> None:
    """Start one NODE of TOPOLOGY, for a host of its own."""
    topology = launch.load()
    with _refusals_explained():
        _serve(launch, topology, [named(topology, node)], ready_file)


@click.command(hidden=True)
@click.argument("names", nargs=-1)
@click.option("--topology")
@launch_options
@click.option("--beside", is_flag=True, help="Serve beside the process that keeps the node.")
def worker(launch: Launch, names: tuple[str, ...], beside: bool) -> None:
    """Serve some nodes for another process, until standard input ends."""
    topology = launch.load()
    specs = [named(topology, name) for name in names]
    starting = _started_beside if beside else _started
    with _refusals_explained():
        _run(_work(starting(launch, topology, specs)))


#: What drains what was started, and the ready entries of the nodes.
_Started = tuple[AsyncExitStack, list[dict[str, Any]]]


def _serve(
    launch: Launch,
    topology: Topology,
    specs: Sequence[NodeSpec],
    ready_file: Path | None,
    processes: int = 1,
    *,
    greet: bool = False,
) -> None:
    """Run nodes in this process, or in several where they are to have more."""
    check_files(topology, specs, launch.directory)
    fleet = members(specs, processes)
    if len(fleet) == 1:
        starting = _started(launch, topology, specs)
    else:
        starting = _started_apart(Fleet(launch.command(), fleet), specs)
    _run(_watch(topology, starting, launch.directory, ready_file, greet=greet))


async def _started(launch: Launch, topology: Topology, specs: Sequence[NodeSpec]) -> _Started:
    stack, nodes = await start_nodes(topology, specs, launch.directory, launch.seed)
    _settle_memory()
    return stack, [node.ready_entry() for node in nodes]


async def _started_beside(
    launch: Launch, topology: Topology, specs: Sequence[NodeSpec]
) -> _Started:
    """One more process for each node; another one tells that it is ready."""
    stack = await start_workers(topology, specs, launch.directory)
    _settle_memory()
    return stack, []


async def _started_apart(fleet: Fleet, specs: Sequence[NodeSpec]) -> _Started:
    stack = AsyncExitStack()
    entries = await fleet.start()
    stack.push_async_callback(fleet.drain)
    order = [spec.name for spec in specs]
    return stack, sorted(entries, key=lambda entry: order.index(entry["name"]))


async def _watch(
    topology: Topology,
    starting: Coroutine[Any, Any, _Started],
    data: DataDirectory,
    ready_file: Path | None,
    *,
    greet: bool,
) -> None:
    """Say when all serves, and drain it when a signal says so."""
    stop = stop_event()
    started = await unless(stop, starting)
    if started is None:
        return
    stack, entries = started
    async with stack:
        _tell(topology, entries, data, ready_file)
        if greet:
            await welcome(data.path)
        await stop.wait()
        data.withdraw()
        note("draining")


async def _work(starting: Coroutine[Any, Any, _Started]) -> None:
    """Say when all serves, and drain it when standard input ends."""
    stop = await input_event()
    started = await unless(stop, starting)
    if started is None:
        return
    stack, entries = started
    async with stack:
        sys.stdout.buffer.write(msgspec.json.encode(entries) + b"\n")
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
            case ProcessFailed(status=Unsafe.status) | StoreNotUsable() | UnsafeToExpose():
                raise Unsafe(str(error)) from None
            case PortInUse() | ProcessFailed() | Refusal():
                raise Negative(str(error)) from None


def _run(main: Coroutine[Any, Any, None]) -> None:
    try:
        import uvloop
    except ImportError:
        factory = None
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)
