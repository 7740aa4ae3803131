"""The embedded backend: one SQLite file in WAL mode, every commit synced, one writer."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool

from registry.audit.log import Entry, Sealed
from registry.errors import StorageUnavailable
from registry.schemes.handle import Key
from registry.storage.interface import Row, StoreNotUsable
from registry.storage.migrations import HEAD, upgrade
from registry.storage.queries import COLUMNS
from registry.storage.sql import SqlStore, SqlTransaction
from registry.storage.sqlite_lookup import SqliteLookup, SqliteReads, open_reader
from registry.storage.sqlite_wal import MOST, RESET_AT, WAL_PAGES, WriteAheadLog

_BUSY_SECONDS: Final = 5.0
_FULL: Final = 2
# `(prefix, suffix) IN (…)` would be nicer to read, and reads the whole table.
_ROWS: Final = (
    f"SELECT {COLUMNS} FROM json_each(?) AS asked CROSS JOIN identifiers"
    " ON prefix = json_extract(asked.value, '$[0]') AND suffix = json_extract(asked.value, '$[1]')"
)
_LAST_VERSIONS: Final = (
    "SELECT prefix, suffix, max(version) FROM json_each(?) AS asked CROSS JOIN identifier_history"
    " ON prefix = json_extract(asked.value, '$[0]') AND suffix = json_extract(asked.value, '$[1]')"
    " GROUP BY prefix, suffix"
)


#: Rows in one statement, as many as there are. While a statement runs Python does other things;
#: between two it has to be asked to let the next one begin. 7 columns of 2,000 rows stay below the
#: 32,766 values that SQLite takes.
_ROWS_AT_ONCE: Final = (2000, 500, 100, 20)


def _inserting(table: str, fields: Sequence[str], more: str = "", rows: int = 1) -> str:
    names, marks = ", ".join(fields), ", ".join("?" * len(fields))
    return f"INSERT INTO {table} ({names}) VALUES {', '.join([f'({marks})'] * rows)}{more}"


_INSERT_MISSING: Final = _inserting("identifiers", Row._fields, " ON CONFLICT DO NOTHING")
_INSERT_MANY: Final = {
    size: _inserting("identifiers", Row._fields, " ON CONFLICT DO NOTHING", size)
    for size in _ROWS_AT_ONCE
}
_ENTER: Final = _inserting(
    "search_terms", ("run", "term", "prefix", "suffix"), " ON CONFLICT DO NOTHING"
)
_APPEND_AUDIT: Final = _inserting("audit_log", (*Entry._fields, "hash", "scope"))


class SqliteTransaction(SqlTransaction):
    """Adds what SQLite says in its own words.

    Rows in great numbers go straight to the driver: SQLAlchemy's work on one would cost more than
    SQLite's.
    """

    async def rows(self, keys: Sequence[Key]) -> dict[Key, Row]:
        result = await self._connection.exec_driver_sql(_ROWS, (json.dumps(keys),))
        rows = map(Row._make, result)
        return {row.key: row for row in rows}

    async def _insert_new(self, rows: Sequence[Row]) -> int:
        run, inserted, start = self._connection.exec_driver_sql, 0, 0
        for size, statement in _INSERT_MANY.items():
            while len(rows) - start >= size:
                values = tuple(chain.from_iterable(rows[start : start + size]))
                inserted += (await run(statement, values)).rowcount
                start += size
        if rest := list(rows[start:]):
            inserted += (await run(_INSERT_MISSING, rest)).rowcount
        return inserted

    async def last_versions(self, keys: Sequence[Key]) -> dict[Key, int]:
        result = await self._connection.exec_driver_sql(_LAST_VERSIONS, (json.dumps(keys),))
        found: list[Any] = list(result)
        return {Key(prefix, suffix): version for prefix, suffix, version in found}

    async def _enter(self, terms: Sequence[tuple[int, int, str, str]]) -> None:
        if terms:
            await self._connection.exec_driver_sql(_ENTER, list(terms))

    async def append_audit(self, entries: Sequence[Sealed]) -> None:
        if entries:
            rows = [(*entry, end, entry.scope) for entry, end in entries]
            await self._connection.exec_driver_sql(_APPEND_AUDIT, rows)


class SqliteStore(SqlStore):
    """`Store` on an SQLite file."""

    _path: Path
    _log: WriteAheadLog

    @classmethod
    async def open(cls, path: Path) -> SqliteStore:
        """Open the file, made or migrated where that is needed.

        Raises StorageUnavailable, or StoreNotUsable for a file that this version must not touch.
        """
        try:
            _prepare(path)
        except sqlite3.Error as error:
            raise StorageUnavailable(f"{path} cannot be opened: {error}") from error
        except DBAPIError as error:
            raise StorageUnavailable(f"{path} cannot be migrated: {error.orig}") from error
        engine = create_async_engine(
            URL.create("sqlite+aiosqlite", database=str(path)),
            connect_args={"timeout": _BUSY_SECONDS, "isolation_level": None},
            poolclass=AsyncAdaptedQueuePool,
            pool_size=1,
            max_overflow=0,
            # Every transaction here ends in a commit or a rollback of its own.
            pool_reset_on_return=None,
        )
        event.listen(engine.sync_engine, "connect", _make_durable)
        event.listen(engine.sync_engine, "begin", _begin_immediate)
        event.listen(engine.sync_engine.pool, "invalidate", _roll_back)
        reader = open_reader(path)
        store = cls(engine, SqliteLookup(reader), SqliteReads(reader))
        store._path = path
        store.bound_log()
        try:
            # An empty transaction: a file that cannot be written to is found out now.
            async with store.begin():
                pass
        except BaseException:
            await store.close()
            raise
        return store

    def figures(self) -> dict[str, float]:
        sizes = {"size_bytes": self._path.stat().st_size, "wal_bytes": self._log.octets}
        return {name: float(size) for name, size in sizes.items()}

    def bound_log(self, reset_at: int = RESET_AT, most: int = MOST) -> None:
        """Keep the write-ahead log from growing past these octets (see `sqlite_wal`)."""
        self._log = WriteAheadLog(self._path, reset_at, most)

    async def _start(self, connection: AsyncConnection) -> None:
        await connection.start()
        await self._log.bound(connection)
        await connection.begin()

    def _transaction(self, connection: AsyncConnection) -> SqlTransaction:
        return SqliteTransaction(connection)

    def _certainly_undone(self, error: DBAPIError | OSError) -> bool:
        # A full disk shows while the pages are appended to the WAL, and the frame that makes them
        # count is the last of them. A failed sync comes after it: that commit may have happened.
        code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
        return code == sqlite3.SQLITE_FULL


def snapshot_engine(path: Path) -> AsyncEngine:
    """Connections that see the file as it is at their first statement, and only read."""
    engine = create_async_engine(
        URL.create(
            "sqlite+aiosqlite",
            database=path.absolute().as_uri(),
            query={"mode": "ro", "uri": "true"},
        ),
        connect_args={"isolation_level": None},
        poolclass=NullPool,
    )
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _prepare(path: Path) -> None:
    """Switch the file to WAL and bring its schema to the newest revision."""
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if _revision(connection) != HEAD:
            _upgrade(connection)
    finally:
        connection.close()


def _revision(connection: sqlite3.Connection) -> str | None:
    """Which migration the file has seen last, None for a new file."""
    tables = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
    if connection.execute(tables).fetchone() is None:
        return None
    found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(found[0]) if found is not None else None


def _upgrade(connection: sqlite3.Connection) -> None:
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=NullPool)
    event.listen(engine, "begin", _begin_immediate)
    with engine.begin() as migrating:
        upgrade(migrating)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_immediate(connection: Connection) -> None:
    # Not deferred: a writer that starts as a reader can be refused half-way.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _roll_back(connection: Any, _record: object, _error: object) -> None:
    """End the transaction of a connection that is given up, for instance since its writer was
    cancelled: closing would leave it open, and the file locked, as long as a cursor is referred to.
    It is closed in any case, and what ended it is told by whoever gave it up.
    """
    with suppress(DBAPIError, sqlite3.Error, ValueError, asyncio.CancelledError):
        connection.rollback()


def _make_durable(connection: Any, _record: object) -> None:
    """Set up a writing connection, and refuse it if it would acknowledge what a crash can lose."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    cursor.execute("PRAGMA synchronous")
    (synchronous,) = cursor.fetchone()
    cursor.execute("PRAGMA journal_mode")
    (journal_mode,) = cursor.fetchone()
    cursor.close()
    check_durable(synchronous, journal_mode)


def check_durable(synchronous: int, journal_mode: str) -> None:
    """Refuse settings under which a commit can be lost (a WAL that is not synced, or none)."""
    if synchronous < _FULL or journal_mode != "wal":
        raise StoreNotUsable(
            f"commits would not be durable: journal_mode {journal_mode}, synchronous {synchronous}"
        )
