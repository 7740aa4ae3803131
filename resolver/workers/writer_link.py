"""The writer of a node, as a worker sees it: its news, and what is handed over to it.

While there is no writer, what would be handed over is refused, and it is looked for again and
again. A writer that is found after one was lost may have changed anything meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from registry.errors import Overloaded
from resolver.administration.context import Context
from resolver.codecs.link import Changed, Counted, Welcome
from resolver.workers.counting import Increments
from resolver.workers.writer_connection import WriterConnection

_log = logging.getLogger(__name__)

NO_WRITER: Final = "the process that keeps the node's store is not there at the moment"

#: Seconds between two looks for a writer: what it commits is to be known here 50 ms later.
RETRY: Final = 0.02
#: Seconds between two reports of what was counted.
REPORT: Final = 1.0

#: Takes in a commit.
Follow = Callable[[Changed], Awaitable[None]]


class WriterLink:
    """Stays in touch with the writer; to be closed by `close`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._news: asyncio.Queue[Changed] = asyncio.Queue()
        self._increments: Increments | None = None
        self._welcomed: asyncio.Future[Welcome] = asyncio.get_running_loop().create_future()
        self._connection: WriterConnection | None = None
        self._tasks = [asyncio.create_task(self._stay(), name="stay with the writer")]

    async def welcome(self) -> Welcome:
        """What the writer says first; waits until there is one."""
        return await asyncio.shield(self._welcomed)

    def follow(self, follow: Follow) -> None:
        """Have every commit taken in from now on, and what has been told already."""
        self._tasks.append(asyncio.create_task(self._tell(follow), name="follow the writer"))

    def report(self, increments: Increments) -> None:
        """Tell the writer what is counted from now on."""
        self._increments = increments
        self._tasks.append(asyncio.create_task(self._report(), name="report to the writer"))

    async def ask(self, message: bytes, context: Context) -> bytes:
        """The reply of the writer to a Handle message.

        Raises Overloaded where there is no writer to ask, OutcomeUnknown where it was lost before
        it replied.
        """
        if self._connection is None:
            raise Overloaded(NO_WRITER)
        return await self._connection.ask(message, context)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._connection is not None:
            self._connection.close()

    async def _stay(self) -> None:
        """Find the writer, and find it again whenever it is lost."""
        while True:
            connection = await self._find()
            welcome = await connection.welcome
            if welcome is None:
                continue
            self._connection = connection
            # Whatever was changed before is news here.
            self._news.put_nowait(Changed(None, True, welcome.changes))
            if not self._welcomed.done():
                self._welcomed.set_result(welcome)
            await connection.lost.wait()
            self._connection = None
            _log.warning("the process that keeps the store is gone")

    async def _find(self) -> WriterConnection:
        loop = asyncio.get_running_loop()
        while True:
            try:
                _, found = await loop.create_unix_connection(
                    lambda: WriterConnection(self._news, self._counted), self._address
                )
            except OSError:
                await asyncio.sleep(RETRY)
            else:
                return found

    async def _tell(self, follow: Follow) -> None:
        while True:
            await follow(await self._news.get())

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT)
            if self._connection is not None:
                self._connection.say(self._counted(0))

    def _counted(self, number: int) -> Counted:
        return Counted(number, () if self._increments is None else self._increments.take())
