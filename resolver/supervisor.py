"""Nodes in this process: starting them, and when they are to end."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from resolver.data_directory import DataDirectory
from resolver.node import Node, Worker
from resolver.topology import NodeSpec, Topology
from resolver.transports.descriptors import raise_limit

Result = TypeVar("Result")


async def start_nodes(
    topology: Topology, specs: Sequence[NodeSpec], data: DataDirectory, seed: int
) -> tuple[AsyncExitStack, list[Node]]:
    """Start nodes in this process; the stack drains them. If one cannot start, none runs."""
    raise_limit()
    async with AsyncExitStack() as stack:
        nodes = []
        for spec in specs:
            node = Node(topology, spec, data)
            await node.start(seed)
            stack.push_async_callback(node.drain)
            nodes.append(node)
        return stack.pop_all(), nodes
    raise AssertionError  # the block above returns or raises


async def start_workers(
    topology: Topology, specs: Sequence[NodeSpec], data: DataDirectory
) -> AsyncExitStack:
    """Serve nodes in this process beside those that keep them; the stack drains that."""
    raise_limit()
    async with AsyncExitStack() as stack:
        for spec in specs:
            worker = Worker(topology, spec, data)
            await worker.start()
            stack.push_async_callback(worker.drain)
        return stack.pop_all()
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
