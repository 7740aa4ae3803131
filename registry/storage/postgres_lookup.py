"""Reads from PostgreSQL: point reads that wait at the same time travel in one statement."""

from __future__ import annotations

import asyncio
import copy
import re
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import cache, partial
from itertools import count
from typing import Any, Final, NamedTuple

import asyncpg

from registry.schemes.handle import Key
from registry.storage import queries
from registry.storage.interface import ACTIVE, Row
from registry.storage.postgres_connection import FAILURES, connect, unavailable
from registry.storage.reading import SqlReads

#: Statements for point reads under way at once, and most identifiers in one of them. Measured:
#: 1.5 ms for 256 identifiers; with a statement each, the node alone spends 80 us on every one.
LANES: Final = 4
BATCH: Final = 256
#: Connections for everything else.
_OTHERS: Final = 2
#: Longest wait for a point read, which takes milliseconds: who resolves does not wait longer.
_POINT_SECONDS: Final = 3.0

#: One round trip for any number of rows, in the order asked; by the primary key each.
ROWS: Final = (
    f"SELECT {queries.COLUMNS} FROM unnest($1::text[], $2::text[]) AS asked (prefix, suffix)"
    " JOIN identifiers USING (prefix, suffix)"
)


@cache
def numbered(query: str) -> str:
    """A query with `$1`, `$2` … for its `?`."""
    numbers = count(1)
    return re.sub(r"\?", lambda _: f"${next(numbers)}", query)


_ROW: Final = numbered(queries.ROW)
_AT: Final = numbered(
    f"SELECT suffix FROM (SELECT suffix, row_number() OVER (ORDER BY suffix) - 1 AS position"
    f" {queries.COUNTED}) AS line WHERE position = ANY(?::bigint[]) ORDER BY position"
)


async def open_pool(url: str) -> asyncpg.Pool:
    """Connections for reading. Raises StorageUnavailable."""
    await (await connect(url)).close()
    return await asyncpg.create_pool(
        connect=lambda *_arguments, **_options: connect(url),
        reset=_leave,
        min_size=0,
        max_size=LANES + _OTHERS,
    )


async def _leave(_connection: object) -> None:
    """Hand a connection back as it is: nothing here leaves anything in it."""


_POSITION: Final = "SELECT {} - '0/0'::pg_lsn"


class _Waiting(NamedTuple):
    key: Key
    row: asyncio.Future[Row | None]


class PointReads:
    """Reads of single identifiers, many of them in one statement when many wait."""

    def __init__(self, fetch: Callable[..., Awaitable[Sequence[Any]]]) -> None:
        self._fetch = fetch
        self._waiting: deque[_Waiting] = deque()
        self._lanes: set[asyncio.Task[None]] = set()

    async def row(self, key: Key) -> Row | None:
        """An identifier in whatever state, as it is now or later. Raises StorageUnavailable."""
        waiting = _Waiting(key, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if len(self._lanes) < LANES:
            lane = asyncio.create_task(self._serve())
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)
        return await waiting.row

    async def _serve(self) -> None:
        """Read until nobody waits."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            try:
                found = await self._read([waiting.key for waiting in batch])
            except Exception as error:
                for waiting in batch:
                    if not waiting.row.done():
                        waiting.row.set_exception(copy.copy(error))
            else:
                rows = {row.key: row for row in map(Row._make, found)}
                for waiting in batch:
                    if not waiting.row.done():
                        waiting.row.set_result(rows.get(waiting.key))

    async def _read(self, keys: Sequence[Key]) -> Sequence[Any]:
        if len(keys) == 1:
            return await self._fetch(_ROW, *keys[0])
        return await self._fetch(ROWS, *zip(*keys, strict=True))


class PostgresReads(SqlReads):
    """`Reads` on one server."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.points = PointReads(partial(self._fetch, seconds=_POINT_SECONDS))

    @classmethod
    async def open(cls, url: str) -> PostgresReads:
        """Raises StorageUnavailable."""
        return cls(await open_pool(url))

    async def close(self) -> None:
        await self._pool.close()

    async def row(self, prefix: str, suffix: str) -> Row | None:
        return await self.points.row(Key(prefix, suffix))

    async def rows(self, keys: Sequence[Key]) -> list[Row]:
        if not keys:
            return []
        columns = zip(*dict.fromkeys(keys), strict=True)
        return [Row._make(row) for row in await self._fetch(ROWS, *columns)]

    async def record(self, prefix: str, suffix: str) -> bytes | None:
        row = await self.row(prefix, suffix)
        return row.record if row is not None and row.state == ACTIVE else None

    async def log_position(self) -> int:
        """How much of its log the server has written; commits that are over lie before it."""
        ((position,),) = await self._fetch(_POSITION.format("pg_current_wal_lsn()"))
        return int(position)

    async def has_replayed(self, position: int) -> bool:
        """Whether a standby shows what its primary's log had at that position."""
        ((replayed,),) = await self._fetch(_POSITION.format("pg_last_wal_replay_lsn()"))
        return replayed is not None and replayed >= position

    async def _all(self, query: str, *parameters: object) -> Sequence[Any]:
        return await self._fetch(numbered(query), *parameters)

    async def _at(self, prefix: str, positions: Sequence[int]) -> list[Key]:
        return [Key(prefix, suffix) for (suffix,) in await self._fetch(_AT, prefix, positions)]

    async def _fetch(
        self, query: str, *parameters: object, seconds: float | None = None
    ) -> Sequence[Any]:
        try:
            # Waiting for a connection counts too.
            async with asyncio.timeout(seconds):
                found: Sequence[Any] = await self._pool.fetch(query, *parameters)
        except FAILURES as error:
            raise unavailable(error) from error
        return found
