"""The connection of a worker to the writer of its node, at the worker's end."""

from __future__ import annotations

import asyncio
import itertools
import weakref
from collections.abc import Callable
from typing import Final

from registry.errors import OutcomeUnknown, Overloaded
from resolver.administration.context import Context
from resolver.codecs.link import (
    Asked,
    Changed,
    Counted,
    FromWorker,
    Left,
    Part,
    Recount,
    Said,
    Taken,
    Welcome,
    encode_frame,
    from_writer,
)
from resolver.workers.framed import Framed

UNKNOWN: Final = "the process that keeps the node's store was lost before it replied"
#: Requests that may wait for the writer.
MAX_WAITING: Final = 4096


class WriterConnection(Framed):
    """One connection to the writer, and the requests under way on it."""

    other = "the writer"

    def __init__(self, news: asyncio.Queue[Changed], counted: Callable[[int], Counted]) -> None:
        loop = asyncio.get_running_loop()
        #: The first frame; None if the connection was lost before.
        self.welcome: asyncio.Future[Welcome | None] = loop.create_future()
        self.lost = asyncio.Event()
        self._counted = counted
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._clients: weakref.WeakKeyDictionary[Context, int] = weakref.WeakKeyDictionary()
        self._contexts: weakref.WeakValueDictionary[int, Context] = weakref.WeakValueDictionary()
        self._sending: set[asyncio.Task[None]] = set()
        takes: dict[type, Callable[..., None]] = {
            Welcome: self.welcome.set_result,
            Changed: news.put_nowait,
            Part: self._part,
            Said: self._said,
            Recount: self._recount,
        }
        super().__init__(from_writer(), takes)

    async def ask(self, message: bytes, context: Context) -> bytes:
        """The reply to a Handle message. Raises Overloaded, OutcomeUnknown."""
        if len(self._waiting) >= MAX_WAITING:
            raise Overloaded("too many requests wait for the process that keeps the store")
        number, client = next(self._numbers), self._client(context)
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = reply
        self.say(Asked(number, client, context.protocol, context.source, message))
        try:
            return await reply
        finally:
            self._waiting.pop(number, None)

    def say(self, frame: FromWorker) -> None:
        if not self._transport.is_closing():
            self._transport.write(encode_frame(frame))

    def _client(self, context: Context) -> int:
        """The number that a client has for the writer, for as long as it is there."""
        number = self._clients.get(context)
        if number is None:
            number = self._clients[context] = next(self._numbers)
            self._contexts[number] = context
            weakref.finalize(context, self.say, Left(number)).atexit = False
        return number

    # --- asyncio.Protocol ---

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.welcome.done():
            self.welcome.set_result(None)
        self.lost.set()
        for reply in self._waiting.values():
            _fail(reply)

    # --- frames ---

    def _part(self, part: Part) -> None:
        task = asyncio.create_task(self._pass_on(part, self._contexts.get(part.client)))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _pass_on(self, part: Part, context: Context | None) -> None:
        try:
            if context is not None and context.send is not None:
                await context.send(part.message)
        finally:
            self.say(Taken(part.client))

    def _said(self, said: Said) -> None:
        reply = self._waiting.get(said.number)
        if reply is None or reply.done():
            return  # nobody waits for it any more
        if said.message is None:
            _fail(reply)
        else:
            reply.set_result(said.message)

    def _recount(self, asked: Recount) -> None:
        self.say(self._counted(asked.number))


def _fail(reply: asyncio.Future[bytes]) -> None:
    if not reply.done():
        reply.set_exception(OutcomeUnknown(UNKNOWN))
