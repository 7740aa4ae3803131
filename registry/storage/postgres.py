"""The backend to grow into: PostgreSQL 15 or newer, many processes and one writer at a time."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy import Table, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool

from registry.errors import Refusal
from registry.schemes.handle import Key
from registry.storage.gathering import GatheredLookup
from registry.storage.interface import Row
from registry.storage.migrations import HEAD, upgrade
from registry.storage.postgres_connection import FAILURES, connect, connect_writer, unavailable
from registry.storage.postgres_feed import CHANNEL, Listener, encode_news
from registry.storage.postgres_lookup import ROWS, PostgresReads, numbered
from registry.storage.postgres_replica import Replica
from registry.storage.queries import COLUMNS
from registry.storage.sql import SqlStore, SqlTransaction

T = TypeVar("T")

#: The advisory lock that the one writer of the database holds.
_WRITER: Final = 0x69646E6F6465
_ONE_WRITER: Final = f"SELECT pg_advisory_xact_lock({_WRITER})"
#: From so many rows on COPY takes the node less time than one statement with arrays.
_COPY_FROM: Final = 200
_ARRAYS: Final = (
    "unnest($1::text[], $2::text[], $3::bytea[], $4::smallint[], $5::integer[], $6::bigint[],"
    " $7::bigint[])"
)
_INSERT: Final = f"INSERT INTO identifiers ({COLUMNS}) SELECT * FROM {_ARRAYS}"
_INSERT_COPIED: Final = f"INSERT INTO identifiers ({COLUMNS}) SELECT {COLUMNS} FROM incoming"
_MISSING: Final = " ON CONFLICT DO NOTHING"
_LAST_VERSIONS: Final = (
    "SELECT prefix, suffix, max(version) FROM unnest($1::text[], $2::text[]) AS asked (prefix,"
    " suffix) JOIN identifier_history USING (prefix, suffix) GROUP BY prefix, suffix"
)
_ENTER: Final = (
    "INSERT INTO search_terms (run, term, prefix, suffix) SELECT * FROM"
    " unnest($1::integer[], $2::bigint[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING"
)
_INCOMING: Final = (
    "CREATE TEMPORARY TABLE incoming (prefix text, suffix text, record bytea, state smallint,"
    " version integer, modified bigint, entry bigint) ON COMMIT DELETE ROWS"
)
_NOTIFY: Final = "SELECT pg_notify($1, $2)"
#: Errors that the server answers a COMMIT with instead of committing: data, constraints, conflicts,
#: no room. All others leave open what has happened.
_UNDONE: Final = ("22", "23", "40", "53")
_UNKNOWN: Final = "40003"
#: What comes straight from the driver: SQLAlchemy wraps the others.
_DRIVER_FAILURES: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    ConnectionError,
    TimeoutError,
)


class PostgresTransaction(SqlTransaction):
    """Adds what PostgreSQL says in its own words: a statement for a set, COPY for a large one."""

    def __init__(self, connection: AsyncConnection, origin: str) -> None:
        super().__init__(connection)
        self._origin = origin
        self._copied = False

    async def rows(self, keys: Sequence[Key]) -> dict[Key, Row]:
        if not keys:
            return {}
        result = await self._connection.exec_driver_sql(ROWS, _columns(dict.fromkeys(keys)))
        return {row.key: row for row in map(Row._make, result)}

    async def _insert(self, rows: Sequence[Row]) -> None:
        await self._connection.exec_driver_sql(_INSERT, _columns(rows))

    async def last_versions(self, keys: Sequence[Key]) -> dict[Key, int]:
        if not keys:
            return {}
        result = await self._connection.exec_driver_sql(_LAST_VERSIONS, _columns(keys))
        found: list[Any] = list(result)
        return {Key(prefix, suffix): version for prefix, suffix, version in found}

    async def _enter(self, terms: Sequence[tuple[int, int, str, str]]) -> None:
        if terms:
            await self._connection.exec_driver_sql(_ENTER, _columns(terms))

    async def _insert_new(self, rows: Sequence[Row]) -> int:
        if not rows:
            return 0
        run = self._connection.exec_driver_sql
        if len(rows) < _COPY_FROM:
            return (await run(_INSERT + _MISSING, _columns(rows))).rowcount
        await self._copy(rows)
        return (await run(_INSERT_COPIED + _MISSING)).rowcount

    async def _copy(self, rows: Sequence[Row]) -> None:
        if self._copied:
            await self._connection.exec_driver_sql("TRUNCATE incoming")
        self._copied = True
        raw = await self._connection.get_raw_connection()
        driver: Any = raw.driver_connection
        await driver.copy_records_to_table("incoming", records=rows, columns=Row._fields)

    async def load(self, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        raw = await self._connection.get_raw_connection()
        driver: Any = raw.driver_connection
        columns = table.columns.keys()
        await driver.copy_records_to_table(table.name, records=rows, columns=columns)

    async def _run(
        self, statement: str, parameters: tuple[Any, ...] | list[tuple[Any, ...]]
    ) -> Any:
        return await self._connection.exec_driver_sql(numbered(statement), parameters)

    async def announce(self) -> None:
        if self.changed or self.homed_changed:
            news = encode_news(self._origin, self.changed, self.homed_changed)
            await self._connection.exec_driver_sql(_NOTIFY, (CHANNEL, news))
        else:
            # The server takes COMMIT of a transaction that has failed for a rollback, without a
            # word; any other statement in it is refused.
            await self._connection.exec_driver_sql("SELECT 1")

    async def migrate(self) -> None:
        """Bring the schema to the newest revision. Raises StoreNotUsable."""
        if await self._revision() != HEAD:
            await self._connection.run_sync(upgrade)

    async def _revision(self) -> str | None:
        """Which migration the database has seen last, None for a new one."""
        if await self._connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return None
        found = await self._connection.scalar(text("SELECT version_num FROM alembic_version"))
        return None if found is None else str(found)


class PostgresStore(SqlStore):
    """`Store` on a PostgreSQL database that belongs to one node."""

    _lookup: GatheredLookup
    _reads: PostgresReads

    def __init__(self, engine: AsyncEngine, url: str, reads: PostgresReads) -> None:
        super().__init__(engine, GatheredLookup(), reads)
        self._feed.subscribe(self._lookup.follow)
        self._origin = secrets.token_hex(8)
        self._listener = Listener(url, self._origin, self._feed.publish)
        self._replica: Replica | None = None

    @classmethod
    async def open(cls, url: str, replica_url: str | None = None) -> PostgresStore:
        """Open the database, its tables made or migrated where that is needed.

        `replica_url` names a standby that may be read for resolution. Raises StorageUnavailable, or
        StoreNotUsable for a database that must not be used.
        """
        store = cls(_engine(url), url, await PostgresReads.open(url))
        try:
            await store._migrate()
            await store._listener.start()
            if replica_url is not None:
                store._replica = await Replica.open(replica_url, store._reads, store._feed)
        except BaseException:
            await store.close()
            raise
        return store

    async def close(self) -> None:
        await self._listener.close()
        if self._replica is not None:
            await self._replica.close()
        await super().close()

    async def gather(self, decide: Callable[[], T], *, for_change: bool = False) -> T:
        replica = None if for_change else self._replica
        points = self._reads.points if replica is None else replica
        return await self._lookup.gather(decide, points.row, for_change=for_change)

    async def told(self, keys: Sequence[Key] | None, homed_changed: bool) -> None:
        """Nothing new: the database tells of the commits of every process."""

    async def _migrate(self) -> None:
        """Bring the schema to the newest revision; of several processes one does it."""
        async with self.begin() as transaction:
            assert isinstance(transaction, PostgresTransaction)
            await transaction.migrate()

    async def _start(self, connection: AsyncConnection) -> None:
        try:
            await super()._start(connection)
        except FAILURES as error:
            raise unavailable(error) from error
        await connection.exec_driver_sql(_ONE_WRITER)

    def _transaction(self, connection: AsyncConnection) -> SqlTransaction:
        return PostgresTransaction(connection, self._origin)

    def _refusal(self, error: BaseException) -> Refusal | None:
        if isinstance(error, _DRIVER_FAILURES):
            return unavailable(error)
        return super()._refusal(error)

    def _certainly_undone(self, error: DBAPIError | OSError) -> bool:
        state = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
        return state[:2] in _UNDONE and state != _UNKNOWN


def snapshot_engine(url: str) -> AsyncEngine:
    """Connections that see the database as it is at their first statement, and only read."""
    return create_async_engine(
        "postgresql+asyncpg://",
        # All there is may have to be sorted.
        async_creator=lambda *_arguments, **_options: connect(url, patient=True),
        poolclass=NullPool,
        isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True},
    )


def _columns(rows: Iterable[tuple[Any, ...]]) -> tuple[Any, ...]:
    """What belongs to each column, for a statement that takes an array of it."""
    return tuple(zip(*rows, strict=True))


def _engine(url: str) -> AsyncEngine:
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda *_arguments, **_options: _open_writer(url),
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        # Every transaction here ends in a commit or a rollback of its own.
        pool_reset_on_return=None,
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


async def _open_writer(url: str) -> asyncpg.Connection:
    connection = await connect_writer(url)
    try:
        await connection.execute(_INCOMING)
    except BaseException:
        connection.terminate()
        raise
    return connection


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    """Have a writer that the server has hung up on replaced before it is used."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError()
