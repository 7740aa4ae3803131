"""Many nodes at once: in this process, or spread over several that this one watches."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final, TypeVar

import msgspec

from resolver.data_directory import DataDirectory
from resolver.node import Node
from resolver.topology import NodeSpec, Topology

Result = TypeVar("Result")
#: Seconds before a process that ended by itself is started again.
RESTART_SECONDS: Final = 0.5


async def start_nodes(
    topology: Topology, specs: Sequence[NodeSpec], data: DataDirectory, seed: int
) -> tuple[AsyncExitStack, list[Node]]:
    """Start nodes in this process; the stack drains them. If one cannot start, none runs."""
    async with AsyncExitStack() as stack:
        nodes = []
        for spec in specs:
            node = Node(topology, spec, data)
            await node.start(seed)
            stack.push_async_callback(node.drain)
            nodes.append(node)
        return stack.pop_all(), nodes
    raise AssertionError  # the block above returns or raises


def stop_event() -> asyncio.Event:
    """Set by SIGTERM and SIGINT from now on."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def input_event() -> asyncio.Event:
    """Set when standard input ends: the process that started this one ends it, or is gone."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: _InputEnd(ended), sys.stdin)
    return ended


class _InputEnd(asyncio.Protocol):
    def __init__(self, ended: asyncio.Event) -> None:
        self._ended = ended

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended.set()


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, Result]) -> Result | None:
    """The result of the work; None if it is cut off because `stop` is set before it is done."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        return working.result()
    working.cancel()
    await asyncio.wait({working})
    return None


class WorkerFailed(Exception):  # noqa: N818 - it is what happened
    """A process could not start its nodes; the text is what it said."""


class Fleet:
    """Processes that each serve some nodes; one that dies is started again.

    A worker is `command` with the names of its nodes behind it. It writes one line of JSON, the
    ready entries of its nodes, and ends when its standard input does: so none outlives this one.
    """

    def __init__(self, command: Sequence[str], groups: Sequence[Sequence[str]]) -> None:
        self._command = command
        self._groups = groups
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._watchers: list[asyncio.Task[None]] = []

    async def start(self) -> list[dict[str, Any]]:
        """Start all workers; the ready entries of all nodes. Raises WorkerFailed."""
        try:
            entries = await asyncio.gather(*map(self._spawn, range(len(self._groups))))
        except BaseException:
            await self.drain()
            raise
        self._watchers = [
            asyncio.create_task(self._watch(index), name=f"watch worker {index}")
            for index in range(len(self._groups))
        ]
        return [entry for of_worker in entries for entry in of_worker]

    async def drain(self) -> None:
        """End all workers, giving them time to finish what is under way."""
        for watcher in self._watchers:
            watcher.cancel()
        for process in self._processes.values():
            if process.returncode is None and process.stdin is not None:
                process.stdin.close()
        await asyncio.gather(*(process.wait() for process in self._processes.values()))

    async def _spawn(self, index: int) -> list[dict[str, Any]]:
        process = self._processes[index] = await asyncio.create_subprocess_exec(
            *self._command,
            *self._groups[index],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
            # Ctrl-C goes to this process, which drains the workers.
            start_new_session=True,
        )
        assert process.stdout is not None
        line = await process.stdout.readline()
        if not line:
            status = await process.wait()
            raise WorkerFailed(f"the process of {', '.join(self._groups[index])} ended: {status}")
        entries: list[dict[str, Any]] = msgspec.json.decode(line)
        return entries

    async def _watch(self, index: int) -> None:
        while True:
            status = await self._processes[index].wait()
            names = ", ".join(self._groups[index])
            print(
                f"idnode: the process of {names} ended ({status}): starting it again",
                file=sys.stderr,
            )
            await asyncio.sleep(RESTART_SECONDS)
            try:
                await self._spawn(index)
            except WorkerFailed as error:
                print(f"idnode: {error}", file=sys.stderr)
            else:
                print(f"idnode: {names}: serving again", file=sys.stderr)


def spread(names: Sequence[str], processes: int) -> list[list[str]]:
    """The names over that many processes, evenly, in turn."""
    count = max(1, min(processes, len(names)))
    return [list(names[start::count]) for start in range(count)]
