"""A store that another process of the node writes to, as seen by one that only reads it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from registry.schemes.handle import Key
from registry.storage.change_feed import ChangeFeed
from registry.storage.interface import Lookup, Readable, Reads, Subscriber

T = TypeVar("T")


class Followed(Readable, Protocol):
    """`Readable`, and who is told what the writer of the node has committed."""

    async def told(self, keys: Sequence[Key] | None, homed_changed: bool) -> None:
        """Tell the subscribers, unless they hear of every process's commits anyway."""
        ...


class Follower:
    """`Followed` on a database that is read without waiting and brings no news by itself."""

    def __init__(self, lookup: Lookup, reads: Reads) -> None:
        self.lookup = lookup
        self.reads = reads
        self._feed = ChangeFeed()

    async def gather(self, decide: Callable[[], T], *, for_change: bool = False) -> T:
        return decide()

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        return self._feed.subscribe(subscriber)

    async def told(self, keys: Sequence[Key] | None, homed_changed: bool) -> None:
        await self._feed.publish(keys, homed_changed)

    async def close(self) -> None:
        await self.reads.close()
