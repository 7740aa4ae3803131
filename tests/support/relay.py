"""A TCP server in front of another one, which changes how messages come and go.

async with relay(address, once=True) as port: ...       one reply a connection, as Handle.Net
async with relay(address, change=spoil) as port: ...    replies changed on their way
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from resolver.codecs.handle.framing import MessageStream

_SIZE = 65_536


class Relay:
    """Counts the connections. `change` makes what goes on of a reply; None ends the connection."""

    def __init__(
        self, address: tuple[str, int], once: bool, change: Callable[[bytes], bytes | None]
    ) -> None:
        self.connections = 0
        self.change = change
        self._address = address
        self._once = once

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        onward, outgoing = await asyncio.open_connection(*self._address)
        try:
            if self._once:
                await self._one(reader, writer, onward, outgoing)
            else:
                await self._all(reader, writer, onward, outgoing)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            outgoing.transport.abort()
            writer.close()

    async def _one(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        onward: asyncio.StreamReader,
        outgoing: asyncio.StreamWriter,
    ) -> None:
        outgoing.write(await _message(reader))
        writer.write(await _message(onward))
        await writer.drain()

    async def _all(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        onward: asyncio.StreamReader,
        outgoing: asyncio.StreamWriter,
    ) -> None:
        requests = asyncio.create_task(_copy(reader, outgoing))
        try:
            stream = MessageStream()
            while data := await onward.read(_SIZE):
                for message in stream.feed(data):
                    changed = self.change(message)
                    if changed is None:
                        return
                    writer.write(changed)
        finally:
            requests.cancel()


async def _message(reader: asyncio.StreamReader) -> bytes:
    envelope = await reader.readexactly(20)
    return envelope + await reader.readexactly(int.from_bytes(envelope[16:20], "big"))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_SIZE):
        writer.write(data)


@asynccontextmanager
async def relay(
    address: tuple[str, int],
    *,
    once: bool = False,
    change: Callable[[bytes], bytes | None] = lambda message: message,
) -> AsyncIterator[tuple[Relay, int]]:
    """The relay and its port on loopback."""
    made = Relay(address, once, change)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    try:
        yield made, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
