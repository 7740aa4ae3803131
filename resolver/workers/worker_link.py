"""The connection of one worker to the writer of its node, at the writer's end.

A worker that is gone has nothing left here; one that takes in no more is hung up on, and begins
anew with everything forgotten.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from resolver.administration.context import Context
from resolver.codecs.link import (
    Asked,
    Counted,
    FromWriter,
    Left,
    Part,
    Recount,
    Said,
    Taken,
    Welcome,
    encode_frame,
    from_worker,
)
from resolver.workers.counting import Sums
from resolver.workers.framed import Framed

_log = logging.getLogger(__name__)

#: Octets that may wait for a worker.
MAX_UNREAD: Final = 64 << 20

#: A whole Handle message and where it comes from, to its reply.
Answer = Callable[[bytes, Context], "bytes | Awaitable[bytes] | None"]


class _Client:
    """A client of a worker: who it is, what it asks, and the one part that is on its way to it."""

    def __init__(self, asked: Asked, write: Callable[[FromWriter], None]) -> None:
        self.context = Context(asked.source, asked.protocol, self._send)
        self.under_way: set[asyncio.Task[None]] = set()
        self._number = asked.client
        self._write = write
        self._one_at_a_time = asyncio.Lock()
        self._taken: asyncio.Future[None] | None = None

    async def _send(self, message: bytes) -> None:
        async with self._one_at_a_time:
            self._taken = asyncio.get_running_loop().create_future()
            self._write(Part(self._number, message))
            await self._taken

    def taken(self) -> None:
        """The last part has reached it."""
        if self._taken is not None and not self._taken.done():
            self._taken.set_result(None)

    def leave(self) -> None:
        """It is gone, and nobody waits for what it asked."""
        for task in tuple(self.under_way):
            task.cancel()


class WorkerLink(Framed):
    """It is among `links` as long as it lasts, and says `welcome` first."""

    other = "a worker"

    def __init__(
        self, links: set[WorkerLink], welcome: Welcome, answer: Answer, sums: Sums
    ) -> None:
        takes: dict[type, Callable[..., None]] = {
            Asked: self._asked,
            Taken: self._taken,
            Left: self._left,
            Counted: self._counted,
        }
        super().__init__(from_worker(), takes)
        self._links = links
        self._welcome = welcome
        self._reply = answer
        self._sums = sums
        self._clients: dict[int, _Client] = {}
        self._recounts: dict[int, asyncio.Future[None]] = {}

    @property
    def under_way(self) -> list[asyncio.Task[None]]:
        """The requests that are not replied to."""
        return [task for client in self._clients.values() for task in client.under_way]

    def write(self, octets: bytes) -> None:
        """Send a frame, if the worker is still there."""
        if self._transport.is_closing():
            return
        self._transport.write(octets)
        if self._transport.get_write_buffer_size() > MAX_UNREAD:
            _log.warning("a worker takes in nothing more")
            self._transport.abort()

    def recount(self, number: int) -> asyncio.Future[None]:
        """Ask for what was counted; done once it is added."""
        done = self._recounts[number] = asyncio.get_running_loop().create_future()
        self._say(Recount(number))
        return done

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._links.add(self)
        self._say(self._welcome)

    def connection_lost(self, exc: Exception | None) -> None:
        self._links.discard(self)
        self._sums.forget(self)
        for client in self._clients.values():
            client.leave()
        for done in self._recounts.values():
            done.cancel()

    # --- frames ---

    def _say(self, frame: FromWriter) -> None:
        self.write(encode_frame(frame))

    def _asked(self, asked: Asked) -> None:
        client = self._clients.get(asked.client)
        if client is None:
            client = self._clients[asked.client] = _Client(asked, self._say)
        task = asyncio.create_task(self._answer(asked, client.context))
        client.under_way.add(task)
        task.add_done_callback(client.under_way.discard)

    async def _answer(self, asked: Asked, context: Context) -> None:
        message: bytes | None = None
        try:
            said = self._reply(asked.message, context)
            message = said if said is None or isinstance(said, bytes) else await said
        finally:
            self._say(Said(asked.number, message))

    def _taken(self, taken: Taken) -> None:
        if (client := self._clients.get(taken.client)) is not None:
            client.taken()

    def _left(self, left: Left) -> None:
        if (client := self._clients.pop(left.client, None)) is not None:
            client.leave()

    def _counted(self, counted: Counted) -> None:
        self._sums.add(self, counted.families)
        if (done := self._recounts.pop(counted.number, None)) is not None and not done.done():
            done.set_result(None)
