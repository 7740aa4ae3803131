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
from typing import TypeVar

from registry.schemes.handle import Key
from registry.storage.interface import ACTIVE, MustWait, Row

T = TypeVar("T")

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
    """`Lookup` of what was read for the decision under way; outside of one it has nothing."""

    def __init__(self) -> None:
        self._known: Mapping[Key, Row | None] = {}
        self._under_way: set[_Gathering] = set()

    def row(self, prefix: str, suffix: str) -> Row | None:
        key = Key(prefix, suffix)
        try:
            return self._known[key]
        except KeyError:
            raise MustWait(key) from None

    def record(self, prefix: str, suffix: str) -> bytes | None:
        row = self.row(prefix, suffix)
        return row.record if row is not None and row.state == ACTIVE else None

    def reading(self) -> AbstractContextManager[object]:
        return nullcontext()

    def follow(self, keys: Sequence[Key] | None, _homed_changed: bool) -> None:
        """Take in a commit, before anybody else does."""
        for gathering in self._under_way:
            gathering.forget(keys)

    async def gather(self, decide: Callable[[], T], read: ReadRow) -> T:
        """What `decide` returns once everything that it asks for has been read."""
        gathering = _Gathering()
        self._under_way.add(gathering)
        try:
            while True:
                self._known = gathering.known
                try:
                    return decide()
                except MustWait as missing:
                    key = gathering.awaited = missing.key
                finally:
                    self._known = {}
                row = await read(key)
                if gathering.awaited is not None:
                    gathering.known[key] = row
        finally:
            self._under_way.discard(gathering)
