"""Keeping the write-ahead log of an SQLite file within bounds.

SQLite empties its log by itself whenever it has grown by WAL_PAGES, but not while anybody reads
from it: a reader that goes on for hours (a tool opened on the file, a copy) lets it grow without
end. So past RESET_AT the writer insists, as often as it may, and past MOST it takes no more writes.
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
MOST: Final = 1 << 30
#: Milliseconds to wait for readers when insisting, and seconds until it is tried again.
_WAIT: Final = 100
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
        if monotonic() >= self._try_at or self.octets > self._most:
            self._try_at = monotonic() + _AGAIN
            await self._empty(connection)
        if self.octets > self._most:
            raise StorageUnavailable(
                "the store takes no writes: a reader keeps its log from being emptied"
            )

    async def _empty(self, connection: AsyncConnection) -> None:
        # Past SQLAlchemy, which would begin a transaction.
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        (before,) = await (await driver.execute("PRAGMA busy_timeout")).fetchone()
        await driver.execute(f"PRAGMA busy_timeout = {_WAIT}")
        cursor = await driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy, _, _ = await cursor.fetchone()
        await driver.execute(f"PRAGMA busy_timeout = {before}")
        if busy:
            _log.warning("%s has %d octets: a reader holds on to it", self._path, self.octets)
