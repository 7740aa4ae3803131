"""Processes that share the nodes of a topology, watched by the one that started them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from resolver.topology import NodeSpec

#: Seconds before a process that ended by itself is started again.
RESTART_SECONDS: Final = 0.5


class ProcessFailed(Exception):  # noqa: N818 - it is what happened
    """A process could not start its nodes, and ended with the exit status `status`."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class Member(NamedTuple):
    """One process of a fleet: it keeps its nodes, or serves one of them `beside` its keeper."""

    nodes: tuple[str, ...]
    beside: bool = False

    def __str__(self) -> str:
        nodes = ", ".join(self.nodes)
        return f"a worker of {nodes}" if self.beside else f"the process of {nodes}"

    @property
    def arguments(self) -> tuple[str, ...]:
        """What it is told on its command line."""
        return (*self.nodes, *(("--beside",) if self.beside else ()))


def members(nodes: Sequence[NodeSpec], processes: int) -> list[Member]:
    """The nodes spread over so many processes, evenly, in turn, and the workers beside them."""
    count = max(1, min(processes, len(nodes)))
    names = [node.name for node in nodes]
    keepers = [Member(tuple(names[start::count])) for start in range(count)]
    beside = [Member((node.name,), True) for node in nodes for _ in range(1, node.workers)]
    return keepers + beside


class Fleet:
    """Processes that each serve some nodes; one that dies is started again.

    Each is `command` with the arguments of its member behind it. It writes one line of JSON, the
    ready entries of its nodes, and ends when its standard input does: so none outlives this one.
    """

    def __init__(self, command: Sequence[str], fleet: Sequence[Member]) -> None:
        self._command = command
        self._members = fleet
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._watchers: list[asyncio.Task[None]] = []

    async def start(self) -> list[dict[str, Any]]:
        """Start all of them; the ready entries of all nodes. Raises ProcessFailed."""
        try:
            entries = await asyncio.gather(*map(self._spawn, range(len(self._members))))
        except BaseException:
            await self.drain()
            raise
        self._watchers = [
            asyncio.create_task(self._watch(index), name=f"watch {member}")
            for index, member in enumerate(self._members)
        ]
        return [entry for of_process in entries for entry in of_process]

    async def drain(self) -> None:
        """End all of them, giving them time to finish what is under way.

        Workers end first, so that what they have handed over is replied to.
        """
        for watcher in self._watchers:
            watcher.cancel()
        for beside in (True, False):
            ending = [
                process
                for index, process in self._processes.items()
                if self._members[index].beside is beside
            ]
            for process in ending:
                if process.returncode is None and process.stdin is not None:
                    process.stdin.close()
            await asyncio.gather(*(process.wait() for process in ending))

    async def _spawn(self, index: int) -> list[dict[str, Any]]:
        member = self._members[index]
        process = self._processes[index] = await asyncio.create_subprocess_exec(
            *self._command,
            *member.arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
            # Ctrl-C goes to this process, which drains the others.
            start_new_session=True,
        )
        assert process.stdout is not None
        line = await process.stdout.readline()
        if not line:
            status = await process.wait()
            raise ProcessFailed(f"{member} ended: {status}", status)
        entries: list[dict[str, Any]] = msgspec.json.decode(line)
        return entries

    async def _watch(self, index: int) -> None:
        member = self._members[index]
        while True:
            status = await self._processes[index].wait()
            print(f"idnode: {member} ended ({status}): starting it again", file=sys.stderr)
            await asyncio.sleep(RESTART_SECONDS)
            try:
                await self._spawn(index)
            except ProcessFailed as error:
                print(f"idnode: {error}", file=sys.stderr)
            else:
                print(f"idnode: {member}: serving again", file=sys.stderr)
