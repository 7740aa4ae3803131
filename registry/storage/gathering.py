"""Synchronous rules over a database that has to be waited for.

Whoever decides by records (who may do what, what an answer is) is written as if they were there.
Here such a decision is begun anew after each identifier that it turned out to need, until all of
them are. So there is one form of every rule, and nothing waits where nothing has to.

A decision never rests on what is known to have changed: what the change feed names while it is
gathered is read again. So whoever keeps its result in the same step, and drops it when the feed
says so, keeps nothing that is out of date.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final, TypeVar

from registry.schemes.handle import Key
from registry.storage.interface import ACTIVE, MustWait, Row

T = TypeVar("T")

#: Rows that are kept, and octets of the record of one: 40 MB at most, mostly a tenth of that.
_MOST_ROWS: Final = 10_000
_MOST_OCTETS: Final = 4096

ReadRow = Callable[[Key], "Awaitable[Row | None]"]


class _Gathering:
    """What one decision has so far, and the identifier that is being read for it."""

    __slots__ = ("awaited", "known")

    def __init__(self) -> None:
        self.known: dict[Key, Row | None] = {}
        self.awaited: Key | None = None

    def forget(self, keys: Sequence[Key] | None) -> None:
        if keys is None or self.awaited in keys:
            self.awaited = None
        for key in list(self.known) if keys is None else keys:
            self.known.pop(key, None)


class GatheredLookup:
    """`Lookup` of what was read for the decision under way, and of what others lately needed.

    Rows that were read are kept until they change, so that names in demand are answered at once,
    and go on being answered while the database does not.
    """

    def __init__(self) -> None:
        self._known: Mapping[Key, Row | None] = {}
        self._kept: dict[Key, Row | None] = {}
        #: What may be answered from besides what was read for the decision itself.
        self._lately: Mapping[Key, Row | None] = self._kept
        self._under_way: set[_Gathering] = set()

    def row(self, prefix: str, suffix: str) -> Row | None:
        key = Key(prefix, suffix)
        for rows in (self._known, self._lately):
            if key in rows:
                return rows[key]
        raise MustWait(key)

    def record(self, prefix: str, suffix: str) -> bytes | None:
        row = self.row(prefix, suffix)
        return row.record if row is not None and row.state == ACTIVE else None

    def reading(self, keys: Sequence[Key]) -> AbstractContextManager[object]:
        return nullcontext()

    def follow(self, keys: Sequence[Key] | None, _homed_changed: bool) -> None:
        """Take in a commit, before anybody else does."""
        for gathering in self._under_way:
            gathering.forget(keys)
        if keys is None:
            self._kept.clear()
        else:
            for key in keys:
                self._kept.pop(key, None)

    async def gather(self, decide: Callable[[], T], read: ReadRow, *, for_change: bool) -> T:
        """What `decide` returns once everything that it asks for has been read.

        What is decided about a change rests on nothing that was kept: news of another process may
        be on their way.
        """
        gathering = _Gathering()
        self._under_way.add(gathering)
        try:
            while True:
                self._known = gathering.known
                self._lately = {} if for_change else self._kept
                try:
                    return decide()
                except MustWait as missing:
                    key = gathering.awaited = missing.key
                finally:
                    self._known, self._lately = {}, self._kept
                row = await read(key)
                if gathering.awaited is not None:
                    gathering.known[key] = row
                    self._keep(key, row)
        finally:
            self._under_way.discard(gathering)

    def _keep(self, key: Key, row: Row | None) -> None:
        if row is not None and len(row.record) > _MOST_OCTETS:
            return
        while len(self._kept) >= _MOST_ROWS:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = row
