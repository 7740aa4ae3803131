"""Reads on a connection of their own: a few microseconds each, with no thread and no SQLAlchemy.

Each read, or batch of reads that nothing else comes between, is a transaction of its own that ends
before the call returns, so that what was committed is seen at once and a checkpoint is never held
up.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from registry.errors import StorageUnavailable
from registry.schemes.handle import Key
from registry.storage import queries
from registry.storage.interface import ACTIVE, Row
from registry.storage.queries import RECORD
from registry.storage.reading import SqlReads

_BUSY_SECONDS: Final = 5.0
#: What a reader keeps of the file. SQLite's own 2 MiB hold the pages of 250 identifiers of a large
#: store; with these a thousand of them are read in 7 us each instead of 11.
_CACHE_KIB: Final = 16_384
#: A key that no identifier has, in place of one.
_NOBODY: Final = (None, None)
#: In place of a record that was not read beforehand; it is compared by identity.
_UNREAD: Final = b"unread"
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


def _together(size: int) -> str:
    """The records of so many identifiers, each with its place among them."""
    asked = ", ".join(f"({place}, ?, ?)" for place in range(size))
    return (
        f"SELECT asked.column1, record FROM (VALUES {asked}) AS asked CROSS JOIN identifiers"
        f" ON prefix = asked.column2 AND suffix = asked.column3 AND state = {ACTIVE}"
    )


#: By how many identifiers it reads: few read a large one in vain.
_TOGETHER: Final = {size: _together(size) for size in (64, 16, 4)}


class SqliteLookup:
    """`Lookup`: never has to wait."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._execute: Callable[..., sqlite3.Cursor] = connection.execute
        #: What was read beforehand.
        self._ahead: dict[tuple[str, str], bytes | None] = {}

    def record(self, prefix: str, suffix: str) -> bytes | None:
        record = self._ahead.get((prefix, suffix), _UNREAD)
        if record is not _UNREAD:
            return record
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

    @contextmanager
    def reading(self, keys: Sequence[Key]) -> Iterator[None]:
        # A quarter of the cost of a read by itself is its transaction, and another its statement.
        with suppress(sqlite3.Error):
            self._execute("BEGIN")
            self._ahead = self._together(keys)
        try:
            yield
        finally:
            self._ahead = {}
            # An error in a read may have ended the transaction already.
            with suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._execute("COMMIT")

    def _together(self, keys: Sequence[Key]) -> dict[tuple[str, str], bytes | None]:
        """The records of all of these, but for a last few."""
        found: dict[tuple[str, str], bytes | None] = {}
        start = 0
        for size, statement in _TOGETHER.items():
            while len(keys) - start > size // 4:
                some = keys[start : start + size]
                asked = [*chain.from_iterable(some), *_NOBODY * (size - len(some))]
                found |= dict.fromkeys(some)
                for place, record in self._execute(statement, asked):
                    found[some[place]] = record
                start += len(some)
        return found


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
