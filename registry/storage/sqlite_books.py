"""A node's store read as a whole, at one moment: what `idnode audit verify` looks at."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from registry.audit import Checkpoint, Entry, Sealed
from registry.errors import StorageUnavailable
from registry.storage.interface import Ended, Row

_ROW: Final = ", ".join(Row._fields)
_ENTRIES: Final = f"SELECT {', '.join(Entry._fields)}, hash FROM audit_log ORDER BY sequence"
_MADE: Final = (
    f"SELECT {_ROW} FROM identifiers UNION ALL SELECT {_ROW} FROM identifier_history"
    " ORDER BY entry, prefix, suffix"
)
_ENDED: Final = f"SELECT {_ROW}, ended FROM identifier_history ORDER BY ended"
_CHECKPOINTS: Final = (
    f"SELECT {', '.join(Checkpoint._fields)} FROM audit_checkpoints WHERE node = ?"
    " ORDER BY sequence"
)


class SqliteBooks:
    """`Books` on an SQLite file; nodes may go on writing meanwhile."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[SqliteBooks]:
        """The file as it is now. Raises StorageUnavailable, also where reading fails later."""
        try:
            uri = f"{path.absolute().as_uri()}?mode=ro"
            connection = sqlite3.connect(uri, uri=True, isolation_level=None)
        except sqlite3.Error as error:
            raise StorageUnavailable(f"{path} cannot be opened: {error}") from error
        try:
            connection.execute("BEGIN")
            yield cls(connection)
        except sqlite3.Error as error:
            raise StorageUnavailable(f"{path} cannot be read: {error}") from error
        finally:
            connection.close()

    def entries(self) -> Iterator[Sealed]:
        for row in self._connection.execute(_ENTRIES):
            yield Sealed(Entry(*row[:-1]), row[-1])

    def made(self) -> Iterator[Row]:
        return map(Row._make, self._connection.execute(_MADE))

    def ended(self) -> Iterator[Ended]:
        return map(Ended._make, self._connection.execute(_ENDED))

    def checkpoints(self, node: str) -> list[Checkpoint]:
        """What a node signed, as far as it is kept here."""
        return list(map(Checkpoint._make, self._connection.execute(_CHECKPOINTS, (node,))))
