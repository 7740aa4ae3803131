"""Whole replies as bytes, found by the bytes of the request.

An entry is tagged with the identifier whose record it rests on (the one it speaks of or, if that is
computed, its base), so that a change of that record drops exactly its entries. What differs between
repeats of a request (its id) is not part of the key; the front-end that stores a reply also knows
where to set the id in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

from registry.schemes.handle import Key

Reply = TypeVar("Reply")

#: Most replies kept; the oldest make room.
MAX_ENTRIES = 131_072


class Repeat(NamedTuple):
    """What answers a repeated datagram: packets one after another, all but the last of one size.

    `how` is what the answer counts as.
    """

    octets: bytes
    how: str


class PacketCache(Generic[Reply]):
    """Replies by request bytes, each with a time it lasts until (monotonic seconds).

    `subject` names the identifier whose record an answer about another one rests on.
    """

    def __init__(
        self,
        max_entries: int = MAX_ENTRIES,
        subject: Callable[[Key], Key] = lambda key: key,
    ) -> None:
        self._max_entries = max_entries
        self._subject = subject
        self._entries: dict[bytes, tuple[float, Reply, Key]] = {}
        self._requests_of: dict[Key, set[bytes]] = {}
        #: How often something was dropped: what was read before may be out of date after.
        self.changes = 0
        self.hits = 0
        self.evictions = 0

    @property
    def size(self) -> int:
        """How many replies are kept."""
        return len(self._entries)

    def get(self, request: bytes, now: float) -> Reply | None:
        """The reply kept for a request, None if there is none or its time is over."""
        entry = self._entries.get(request)
        if entry is None or entry[0] <= now:
            return None
        self.hits += 1
        return entry[1]

    def get_many(self, requests: Iterable[bytes], now: float) -> list[Reply | None]:
        """The same for many requests."""
        entries = [*map(self._entries.get, requests)]
        found = [None if entry is None or entry[0] <= now else entry[1] for entry in entries]
        self.hits += len(found) - found.count(None)
        return found

    def put(self, request: bytes, reply: Reply, key: Key, until: float) -> None:
        """Keep a reply about `key` until the given time."""
        if len(self._entries) >= self._max_entries:
            self._evict()
        key = self._subject(key)
        self._entries[request] = (until, reply, key)
        self._requests_of.setdefault(key, set()).add(request)

    def drop(self, keys: Iterable[Key]) -> None:
        """Forget every reply about these identifiers."""
        self.changes += 1
        if not self._requests_of:
            return
        for key in map(self._subject, keys):
            for request in self._requests_of.pop(key, ()):
                self._entries.pop(request, None)

    def clear(self) -> None:
        """Forget everything."""
        self.changes += 1
        self._entries.clear()
        self._requests_of.clear()

    def _evict(self) -> None:
        request = next(iter(self._entries))
        _, _, key = self._entries.pop(request)
        requests = self._requests_of[key]
        requests.discard(request)
        if not requests:
            del self._requests_of[key]
        self.evictions += 1
