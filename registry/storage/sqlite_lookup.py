"""Reads on a connection of their own: a few microseconds each, with no thread and no SQLAlchemy.

Each read, or batch of reads that nothing else comes between, is a transaction of its own that ends
before the call returns, so that what was committed is seen at once and a checkpoint is never held
up.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, Final

from registry.errors import StorageUnavailable
from registry.schemes.handle import Key
from registry.storage import queries
from registry.storage.interface import Row
from registry.storage.queries import RECORD
from registry.storage.reading import SqlReads

_BUSY_SECONDS: Final = 5.0
#: What a reader keeps of the file. SQLite's own 2 MiB hold the pages of 250 identifiers of a large
#: store; with these a thousand of them are read in 7 us each instead of 11.
_CACHE_KIB: Final = 16_384
_COUNTED: Final = f"SELECT suffix {queries.COUNTED} ORDER BY suffix"


def _unreadable(error: sqlite3.Error) -> StorageUnavailable:
    return StorageUnavailable(f"the store cannot be read: {error}")


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads, for the thread that made it. Raises StorageUnavailable."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_SECONDS)
    except sqlite3.Error as error:
        raise StorageUnavailable(f"{path} cannot be opened") from error
    try:
        # The first read takes hold of the WAL. Were it left for later, a writer that gives up on a
        # full disk would take the WAL away, and there would be no room to make it anew.
        connection.execute(queries.HOMED).fetchall()
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    except sqlite3.Error as error:
        connection.close()
        raise _unreadable(error) from error
    return connection


class SqliteLookup:
    """`Lookup`: never has to wait."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute: Callable[..., sqlite3.Cursor] = connection.execute
        self._transaction = _ReadTransaction(connection)

    def record(self, prefix: str, suffix: str) -> bytes | None:
        try:
            found = self._execute(RECORD, (prefix, suffix)).fetchone()
        except sqlite3.Error as error:
            raise _unreadable(error) from error
        return found[0] if found is not None else None

    def row(self, prefix: str, suffix: str) -> Row | None:
        try:
            found = self._execute(queries.ROW, (prefix, suffix)).fetchone()
        except sqlite3.Error as error:
            raise _unreadable(error) from error
        return Row._make(found) if found is not None else None

    def reading(self) -> AbstractContextManager[object]:
        return self._transaction


class _ReadTransaction:
    """One transaction around several reads: a quarter of the cost of each is its own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.execute("BEGIN")

    def __exit__(self, *_error: object) -> None:
        # An error in a read may have ended it already.
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")


class SqliteReads(SqlReads):
    """`Reads` that are over when the call returns."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def close(self) -> None:
        self._connection.close()

    async def _all(self, query: str, *parameters: object) -> Sequence[Any]:
        try:
            return self._connection.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            raise _unreadable(error) from error

    async def rows(self, keys: Sequence[Key]) -> list[Row]:
        found = [await self.row(*key) for key in keys]
        return [row for row in found if row is not None]

    async def _at(self, prefix: str, positions: Sequence[int]) -> list[Key]:
        try:
            return list(self._picked(prefix, positions))
        except sqlite3.Error as error:
            raise _unreadable(error) from error

    def _picked(self, prefix: str, positions: Sequence[int]) -> Iterator[Key]:
        cursor = self._connection.execute(_COUNTED, (prefix,))
        passed = 0
        for position in positions:
            for (suffix,) in islice(cursor, position - passed, position - passed + 1):
                yield Key(prefix, suffix)
            passed = position + 1
        cursor.close()
