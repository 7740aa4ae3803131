"""A node's store read as a whole, at one moment: what `idnode audit verify` looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, text

from registry.audit.log import Checkpoint, Entry, Sealed
from registry.storage.backends import open_snapshot
from registry.storage.interface import Ended, Row
from registry.storage.queries import COLUMNS

T = TypeVar("T")

#: Rows that are fetched at a time.
_FETCHED: Final = 2000
_ENTRIES: Final = f"SELECT {', '.join(Entry._fields)}, hash FROM audit_log ORDER BY sequence"
_COUNT: Final = "SELECT count(*) FROM audit_log"
_MADE: Final = (
    f"SELECT {COLUMNS} FROM identifiers UNION ALL SELECT {COLUMNS} FROM identifier_history"
    " ORDER BY entry, prefix, suffix"
)
_ENDED: Final = f"SELECT {COLUMNS}, ended FROM identifier_history ORDER BY ended"
_CHECKPOINTS: Final = (
    f"SELECT {', '.join(Checkpoint._fields)} FROM audit_checkpoints WHERE node = :node"
    " ORDER BY sequence"
)


class SqlBooks:
    """`registry.audit.accounting.Books` on a connection in a snapshot; its memory is bounded."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def entries(self) -> Iterator[Sealed]:
        for row in self._rows(_ENTRIES):
            yield Sealed(Entry(*row[:-1]), row[-1])

    def made(self) -> Iterator[Row]:
        return map(Row._make, self._rows(_MADE))

    def ended(self) -> Iterator[Ended]:
        return map(Ended._make, self._rows(_ENDED))

    def count(self) -> int:
        """The number of entries in the audit log."""
        return int(self._connection.execute(text(_COUNT)).scalar_one())

    def checkpoints(self, node: str) -> list[Checkpoint]:
        """What a node signed, as far as it is kept here."""
        found = self._connection.execute(text(_CHECKPOINTS), {"node": node})
        return [Checkpoint._make(row) for row in found]

    def _rows(self, query: str) -> Iterator[Any]:
        connection = self._connection.execution_options(yield_per=_FETCHED)
        return iter(connection.exec_driver_sql(query))


async def look_into(url: str, look: Callable[[SqlBooks], T]) -> T:
    """What `look` finds in the store that a URL names; nodes may go on writing meanwhile.

    Raises StoreNotUsable, StorageUnavailable.
    """
    async with open_snapshot(url) as connection:
        return await connection.run_sync(lambda inner: look(SqlBooks(inner)))
