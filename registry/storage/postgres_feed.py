"""News of commits between the processes of a node, by LISTEN and NOTIFY.

A process that was cut off from the news for a while has missed some: it is told that anything may
have changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import asyncpg
import msgspec

from registry.errors import StorageUnavailable
from registry.schemes.handle import Key
from registry.storage.postgres_connection import FAILURES, connect

_log = logging.getLogger(__name__)

CHANNEL: Final = "idnode_changes"
#: Octets that PostgreSQL carries in one notification.
_ROOM: Final = 7999
#: Seconds between two looks whether the connection is alive, and before it is tried anew.
_HEARTBEAT: Final = 10.0
_FIRST_RETRY: Final = 0.05
_LAST_RETRY: Final = 2.0

Publish = Callable[["Sequence[Key] | None", bool], Awaitable[None]]


class News(msgspec.Struct, array_like=True, frozen=True):
    """A commit: by whom, the identifiers (None: more than can be told), whether homes changed."""

    origin: str
    keys: list[tuple[str, str]] | None
    homed_changed: bool


def encode_news(origin: str, keys: Sequence[Key], homed_changed: bool) -> str:
    """A commit as the text of a notification."""
    told = [(key.prefix, key.suffix) for key in keys] if len(keys) * 2 < _ROOM else None
    text = msgspec.json.encode(News(origin, told, homed_changed))
    if len(text) > _ROOM:
        text = msgspec.json.encode(News(origin, None, homed_changed))
    return text.decode()


def decode_news(text: str) -> News:
    """What a notification says; one that cannot be read says that anything may have changed."""
    try:
        return msgspec.json.decode(text, type=News)
    except msgspec.DecodeError:
        return News("", None, True)


class Listener:
    """Publishes what other processes commit. `origin` is the name of this one."""

    def __init__(self, url: str, origin: str, publish: Publish) -> None:
        self._url = url
        self._origin = origin
        self._publish = publish
        self._news: asyncio.Queue[News] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._connection: asyncpg.Connection | None = None

    async def start(self) -> None:
        """Listen from now on. Raises StorageUnavailable."""
        self._connection = await self._listen()
        self._tasks = [
            asyncio.create_task(self._stay(), name="changes of other processes"),
            asyncio.create_task(self._tell(), name="tell changes of other processes"),
        ]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._connection is not None:
            self._connection.terminate()

    async def _listen(self) -> asyncpg.Connection:
        connection = await connect(self._url)
        try:
            await connection.add_listener(CHANNEL, self._heard)
        except BaseException:
            connection.terminate()
            raise
        return connection

    def _heard(self, _connection: object, _process: int, _channel: str, text: object) -> None:
        news = decode_news(str(text))
        if news.origin != self._origin:
            self._news.put_nowait(news)

    async def _tell(self) -> None:
        while True:
            news = await self._news.get()
            keys = None if news.keys is None else [Key(*key) for key in news.keys]
            await self._publish(keys, news.homed_changed)

    async def _stay(self) -> None:
        """Listen again whenever the connection is lost, for as long as the store is open."""
        while True:
            await _loss(self._connection)
            self._connection = await self._again()
            _log.warning("news of other processes may have been missed")
            self._news.put_nowait(News("", None, True))

    async def _again(self) -> asyncpg.Connection:
        pause = _FIRST_RETRY
        while True:
            try:
                return await self._listen()
            except (*FAILURES, StorageUnavailable) as error:
                _log.warning("not listening to other processes: %s", error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LAST_RETRY)


async def _loss(connection: asyncpg.Connection) -> None:
    """Wait until the connection is lost."""
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _connection: lost.set())
    while not connection.is_closed() and not lost.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(lost.wait(), _HEARTBEAT)
            return
        try:
            await connection.fetchval("SELECT 1", timeout=_HEARTBEAT)
        except FAILURES:
            connection.terminate()
