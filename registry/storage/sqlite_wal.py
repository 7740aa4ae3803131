"""Keeping the write-ahead log of an SQLite file within bounds.

SQLite empties its log by itself whenever it has grown by WAL_PAGES, but not while anybody reads
from it: a reader that goes on for hours (a tool opened on the file, a copy) lets it grow without
end. So past RESET_AT the writer insists now and then; past MOST it waits for readers, and takes no
more writes while one holds on.
"""

from __future__ import annotations

import logging
from pathlib import Path
from time import monotonic
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from registry.errors import StorageUnavailable

_log = logging.getLogger(__name__)

#: Pages of 4 KiB after which SQLite moves the log into the file. Its own 1000 have it sync the file
#: eight times as often: a third of the time of a bulk load.
WAL_PAGES: Final = 8000
RESET_AT: Final = 128 << 20
MOST: Final = 256 << 20
#: Milliseconds to wait for readers: when insisting, and before a write is refused for them.
_SHORT, _LONG = 100, 5000
#: Seconds until it is insisted, or waited for long, again.
_AGAIN: Final = 2.0


class WriteAheadLog:
    """The log beside a database file."""

    def __init__(self, path: Path, reset_at: int = RESET_AT, most: int = MOST) -> None:
        self._path = Path(f"{path}-wal")
        self._reset_at = reset_at
        self._most = most
        self._try_at = 0.0

    @property
    def octets(self) -> int:
        """The size of the log, 0 where there is none."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    async def bound(self, connection: AsyncConnection) -> None:
        """Empty the log if it is long; before a transaction. Raises StorageUnavailable."""
        if self.octets <= self._reset_at:
            return
        over, due = self.octets > self._most, monotonic() >= self._try_at
        if over or due:
            await self._empty(connection, _LONG if over and due else _SHORT)
        if due:
            self._try_at = monotonic() + _AGAIN
        if self.octets > self._most:
            raise StorageUnavailable(
                "the store takes no writes: a reader keeps its log from being emptied"
            )

    async def _empty(self, connection: AsyncConnection, wait: int) -> None:
        # Past SQLAlchemy, which would begin a transaction.
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        (before,) = await (await driver.execute("PRAGMA busy_timeout")).fetchone()
        await driver.execute(f"PRAGMA busy_timeout = {wait}")
        cursor = await driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy, _, _ = await cursor.fetchone()
        await driver.execute(f"PRAGMA busy_timeout = {before}")
        if busy:
            _log.warning("%s has %d octets: a reader holds on to it", self._path, self.octets)
