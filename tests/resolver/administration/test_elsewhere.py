"""Keys on other nodes: how many questions about them may be under way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from registry.clock import SystemClock
from registry.errors import Overloaded
from registry.values.site import Site
from resolver.administration.elsewhere import MAX_ASKING, OtherNodes
from resolver.client import Client, Endpoint
from resolver.codecs.handle.bodies.authentication import VerifyRequest
from resolver.codecs.handle.versions import OWN

REQUEST = VerifyRequest(b"88.901/ADMIN", 300, bytes(16), bytes(32), b"\x02")


class Knowing(Client):
    """A client that knows where everything is."""

    def __init__(self, home: Endpoint) -> None:
        super().__init__()
        self._home = home

    async def find(self, *_: Any) -> Endpoint:
        return self._home


async def test_verdicts_that_are_waited_for_are_bounded():
    arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def keep_waiting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.put_nowait(await reader.read(20))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(keep_waiting, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        others = OtherNodes(Knowing(Endpoint("127.0.0.1", port)), lambda: Site(()), SystemClock())
        asking = [asyncio.create_task(others.vouches(REQUEST, OWN)) for _ in range(MAX_ASKING)]
        for _ in asking:
            assert await arrived.get()
        with pytest.raises(Overloaded):
            await others.vouches(REQUEST, OWN)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        again = asyncio.create_task(others.vouches(REQUEST, OWN))
        assert await arrived.get()
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)
