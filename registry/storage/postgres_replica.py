"""Point reads on a standby, which lags behind: of what has certainly arrived there.

An identifier that changed is read on the primary until the standby has replayed everything that the
primary had written by then. Whether it has is asked now and then: a mark of the primary's log is
taken, and everything that changed before that is confirmed once the standby is past the mark.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from itertools import takewhile
from time import monotonic
from typing import Final

from registry.errors import StorageUnavailable
from registry.schemes.handle import Key
from registry.storage.change_feed import ChangeFeed
from registry.storage.interface import Row
from registry.storage.postgres_lookup import PostgresReads

_log = logging.getLogger(__name__)

#: Seconds between two questions how far the standby is.
_PAUSE: Final = 0.1
#: Most identifiers remembered one by one.
_MOST_CHANGED: Final = 100_000


class Arrivals:
    """Which identifiers changed after the last time that the standby is known to have reached."""

    def __init__(self) -> None:
        self._known = False
        self._changed: dict[Key, float] = {}
        self._any_changed: float | None = None

    def has(self, key: Key) -> bool:
        """Whether the standby has the newest form of an identifier."""
        return self._known and self._any_changed is None and key not in self._changed

    def changed(self, keys: Sequence[Key] | None, now: float) -> None:
        """Take in a commit; None stands for any identifiers."""
        if keys is None or len(keys) + len(self._changed) > _MOST_CHANGED:
            self._changed.clear()
            self._any_changed = now
            return
        for key in keys:
            self._changed.pop(key, None)  # so that the dictionary stays in the order of time
            self._changed[key] = now

    def lost(self) -> None:
        """The standby does not answer: nothing is known of it until it confirms again."""
        self._known = False

    def confirm(self, mark: float) -> None:
        """The standby has everything that was committed before `mark`."""
        self._known = True
        if self._any_changed is not None and self._any_changed < mark:
            self._any_changed = None
        arrived = takewhile(lambda key: self._changed[key] < mark, self._changed)
        for key in list(arrived):
            del self._changed[key]


class Replica:
    """Reads rows on a standby where it can, else on the primary."""

    def __init__(self, standby: PostgresReads, primary: PostgresReads) -> None:
        self._standby = standby
        self._primary = primary
        self._arrivals = Arrivals()
        self._unsubscribe: Callable[[], None] = lambda: None
        self._watcher: asyncio.Task[None] | None = None
        #: Identifiers read on the standby.
        self.reads = 0

    @classmethod
    async def open(cls, url: str, primary: PostgresReads, feed: ChangeFeed) -> Replica:
        """Raises StorageUnavailable."""
        replica = cls(await PostgresReads.open(url), primary)
        replica._unsubscribe = feed.subscribe(replica._follow)
        replica._watcher = asyncio.create_task(replica._watch(), name="watch the read replica")
        return replica

    async def close(self) -> None:
        self._unsubscribe()
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        await self._standby.close()

    async def row(self, key: Key) -> Row | None:
        """An identifier as it is now. Raises StorageUnavailable."""
        if self._arrivals.has(key):
            try:
                row = await self._standby.points.row(key)
            except StorageUnavailable as error:
                _log.warning("the read replica does not answer: %s", error)
                self._arrivals.lost()
            else:
                self.reads += 1
                return row
        return await self._primary.points.row(key)

    def _follow(self, keys: Sequence[Key] | None, _homed_changed: bool) -> None:
        self._arrivals.changed(keys, monotonic())

    async def _watch(self) -> None:
        """Confirm, again and again, up to when the standby has everything."""
        while True:
            try:
                await self._confirm()
            except StorageUnavailable:
                self._arrivals.lost()
            await asyncio.sleep(_PAUSE)

    async def _confirm(self) -> None:
        mark = monotonic()
        position = await self._primary.log_position()
        while not await self._standby.has_replayed(position):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(_PAUSE)
        self._arrivals.confirm(mark)
