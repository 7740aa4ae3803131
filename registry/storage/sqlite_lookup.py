"""Reads on a connection of their own: a few microseconds each, with no thread and no SQLAlchemy.

Each read is a transaction of its own that ends before the call returns, so that what was committed
is seen at once and a checkpoint is never held up.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from registry.accounts import Principal, Role
from registry.audit import Checkpoint
from registry.errors import StorageUnavailable
from registry.schemes.handle import PREFIX_RECORDS, Key
from registry.storage.interface import ACTIVE, ADMINISTRATOR, Past, Row

P = ParamSpec("P")
R = TypeVar("R")

_BUSY_SECONDS: Final = 5.0
_COLUMNS: Final = ", ".join(Row._fields)
_RECORD: Final = (
    f"SELECT record FROM identifiers WHERE prefix = ? AND suffix = ? AND state = {ACTIVE}"
)
_ROW: Final = f"SELECT {_COLUMNS} FROM identifiers WHERE prefix = ? AND suffix = ?"
_STATE: Final = "SELECT state FROM identifiers WHERE prefix = ? AND suffix = ?"
_VERSIONS: Final = (
    f"SELECT {_COLUMNS}, made.time, made.actor, over.time, over.actor FROM"
    f" (SELECT {_COLUMNS}, ended FROM identifier_history WHERE prefix = ?1 AND suffix = ?2"
    f" UNION ALL SELECT {_COLUMNS}, NULL FROM identifiers WHERE prefix = ?1 AND suffix = ?2)"
    " LEFT JOIN audit_log AS made ON made.sequence = entry"
    " LEFT JOIN audit_log AS over ON over.sequence = ended ORDER BY version"
)
_CHECKPOINTS: Final = (
    f"SELECT {', '.join(Checkpoint._fields)} FROM audit_checkpoints WHERE node = ?"
    " ORDER BY sequence"
)
_PAGE: Final = (
    f"SELECT {_COLUMNS} FROM identifiers"
    f" WHERE prefix = ? AND suffix {{}} ? AND state = {ACTIVE} ORDER BY suffix LIMIT ?"
)
_FIRST_PAGE: Final = _PAGE.format(">=")
_NEXT_PAGE: Final = _PAGE.format(">")
_COUNTS: Final = (
    "SELECT prefix, identifiers FROM homed_prefixes JOIN prefix_statistics USING (prefix)"
    " ORDER BY prefix"
)
_COUNTED: Final = (
    f"SELECT suffix FROM identifiers WHERE prefix = ? AND suffix <> '{ADMINISTRATOR}'"
    f" AND state = {ACTIVE} ORDER BY suffix"
)
_PRINCIPAL: Final = (
    "SELECT username, role, prefix FROM app_keys JOIN accounts USING (username) WHERE digest = ?"
)


def _honest(method: Callable[P, R]) -> Callable[P, R]:
    """Say StorageUnavailable where SQLite says that it cannot read."""

    def read(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except sqlite3.Error as error:
            raise StorageUnavailable("the store cannot be read") from error

    read.__doc__ = method.__doc__
    return read


class SqliteLookup:
    """`Lookup` on an SQLite file, read-only; for the thread that made it."""

    def __init__(self, path: Path) -> None:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        try:
            self._connection = sqlite3.connect(
                uri, uri=True, isolation_level=None, timeout=_BUSY_SECONDS
            )
        except sqlite3.Error as error:
            raise StorageUnavailable(f"{path} cannot be opened") from error
        self._execute: Callable[..., sqlite3.Cursor] = self._connection.execute
        try:
            # The first read takes hold of the WAL. Were it left for later, a writer that gives up
            # on a full disk would take the WAL away, and there would be no room to make it anew.
            self.homed_prefixes()
        except StorageUnavailable:
            self.close()
            raise

    def record(self, prefix: str, suffix: str) -> bytes | None:
        try:
            found = self._execute(_RECORD, (prefix, suffix)).fetchone()
        except sqlite3.Error as error:
            raise StorageUnavailable("the store cannot be read") from error
        return found[0] if found is not None else None

    @_honest
    def row(self, prefix: str, suffix: str) -> Row | None:
        found = self._execute(_ROW, (prefix, suffix)).fetchone()
        return Row._make(found) if found is not None else None

    @_honest
    def state(self, prefix: str, suffix: str) -> int | None:
        found = self._execute(_STATE, (prefix, suffix)).fetchone()
        return found[0] if found is not None else None

    @_honest
    def versions(self, prefix: str, suffix: str) -> list[Past]:
        width = len(Row._fields)
        found = self._all(_VERSIONS, prefix, suffix)
        return [_past(Row._make(row[:width]), *row[width:]) for row in found]

    @_honest
    def has_history(self, prefix: str) -> bool:
        query = "SELECT 1 FROM identifier_history WHERE prefix = ? LIMIT 1"
        return self._execute(query, (prefix,)).fetchone() is not None

    @_honest
    def checkpoints(self, node: str) -> list[Checkpoint]:
        return [Checkpoint._make(row) for row in self._all(_CHECKPOINTS, node)]

    @_honest
    def page(self, prefix: str, after: str | None = None, limit: int = 500) -> list[Row]:
        query = _FIRST_PAGE if after is None else _NEXT_PAGE
        return [Row._make(row) for row in self._all(query, prefix, after or "", limit)]

    def scan(self, prefix: str, page_size: int = 500) -> Iterator[Row]:
        page = self.page(prefix, limit=page_size)
        while page:
            yield from page
            page = self.page(prefix, page[-1].suffix, page_size)

    @_honest
    def homed_prefixes(self) -> list[str]:
        return [prefix for (prefix,) in self._all("SELECT prefix FROM homed_prefixes ORDER BY 1")]

    @_honest
    def counts(self) -> dict[str, int]:
        return dict(self._all(_COUNTS))

    @_honest
    def sample(self, count: int, prefixes: Sequence[str] | None = None) -> list[Key]:
        counts = self.counts()
        counts.pop(PREFIX_RECORDS, None)
        if prefixes is not None:
            counts = {prefix: counts[prefix] for prefix in prefixes if prefix in counts}
        keys: list[Key] = []
        for prefix, positions in _spread(counts, count).items():
            keys += self._at(prefix, positions)
        return keys

    def _at(self, prefix: str, positions: Sequence[int]) -> Iterator[Key]:
        """The counted keys of a prefix at ascending positions of the key order."""
        cursor = self._execute(_COUNTED, (prefix,))
        passed = 0
        for position in positions:
            for (suffix,) in islice(cursor, position - passed, position - passed + 1):
                yield Key(prefix, suffix)
            passed = position + 1
        cursor.close()

    @_honest
    def fact(self, key: str) -> str | None:
        found = self._execute("SELECT value FROM node_facts WHERE key = ?", (key,)).fetchone()
        return found[0] if found is not None else None

    @_honest
    def principal(self, digest: bytes) -> Principal | None:
        found = self._execute(_PRINCIPAL, (digest,)).fetchone()
        return Principal(found[0], Role(found[1]), found[2]) if found is not None else None

    def close(self) -> None:
        self._connection.close()

    def _all(self, query: str, *parameters: object) -> list[Any]:
        return self._execute(query, parameters).fetchall()


def _past(
    row: Row, made: int | None, made_by: str | None, ended: int | None, ended_by: str | None
) -> Past:
    """A version that the audit log says nothing of was made when its row says so."""
    return Past(row, row.modified * 1000 if made is None else made, made_by or "", ended, ended_by)


def _spread(counts: dict[str, int], count: int) -> dict[str, list[int]]:
    """Evenly spaced positions in the line of all counted identifiers, told by prefix."""
    total = sum(counts.values())
    wanted = iter(sorted({number * total // count for number in range(count)} if total else ()))
    spread: dict[str, list[int]] = {}
    position, start = next(wanted, total), 0
    for prefix, size in counts.items():
        while position < start + size:
            spread.setdefault(prefix, []).append(position - start)
            position = next(wanted, total)
        start += size
    return spread
