"""`idnode import` through a TCP relay, killed once the node has said enough."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.processes import IDNODE, Node, environment

_SAID = b'"committed_through"'
_SIZE = 4096


class Killing:
    """Between an import and its node. Behind `commits` commits told of, `kill` is called."""

    def __init__(self, node: Node) -> None:
        host, _, port = node.http.removeprefix("http://").rpartition(":")
        self._node = host, int(port)
        self.commits = 0
        self.process: asyncio.subprocess.Process | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection in a task of its own, which `end` can wait for."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def end(self) -> None:
        """End what is served still."""
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward, outgoing = await asyncio.open_connection(*self._node)
        sending = asyncio.create_task(self._send(reader, outgoing))
        try:
            while octets := await onward.read(_SIZE):
                self.commits -= octets.count(_SAID)
                if self.commits <= 0 and self.process is not None:
                    self.process.kill()
                    self.process = None
                writer.write(octets)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            sending.cancel()
            outgoing.transport.abort()
            writer.transport.abort()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while octets := await reader.read(_SIZE):
            writer.write(octets)
            await writer.drain()
        writer.write_eof()


@asynccontextmanager
async def between(node: Node) -> AsyncIterator[tuple[Killing, str]]:
    """The relay to a node, and its URL."""
    killing = Killing(node)
    server = await asyncio.start_server(killing.take, "127.0.0.1", 0)
    try:
        yield killing, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await killing.end()


async def run(
    killing: Killing, url: str, file: Path, *arguments: object, kill_after: int | None
) -> tuple[int, str]:
    """Status and output of an import, killed after so many commits (None: not at all)."""
    process = await asyncio.create_subprocess_exec(
        IDNODE,
        "import",
        file,
        "--via",
        url,
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment(),
    )
    if kill_after is not None:
        killing.commits, killing.process = kill_after, process
    said, _ = await process.communicate()
    killing.process = None
    assert process.returncode is not None
    return process.returncode, said.decode()
