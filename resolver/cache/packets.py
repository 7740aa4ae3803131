"""Whole replies as bytes, found by the bytes of the request.

An entry is tagged with the identifier whose record it rests on (the one it speaks of or, if that is
computed, its base), so that a change of that record drops its entries. What differs between repeats
of a request (its id) is not part of the key; the front-end that stores a reply also knows where to
set the id in it.

A kept reply is all but its octets: entries hold nothing that the garbage collector would have to
follow, and no identifier, only its hash. Two identifiers with one hash lose their entries together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice, repeat
from typing import Final, NamedTuple

from registry import outcomes
from registry.schemes.handle import Key

#: Most replies kept, and most octets that they and their requests may take; the oldest make room.
MAX_ENTRIES: Final = 131_072
MAX_OCTETS: Final = 128 << 20
#: The part of those that may be about names that nobody has: there is no end of them, and they
#: would push out the replies that others ask for.
UNKNOWN: Final = 1 / 8
#: Octets of the longest request whose reply is kept: few of them would push out much.
MAX_REQUEST: Final = 4096
#: What an entry takes besides: a tuple, its tag, and its places in two dictionaries.
OVERHEAD: Final = 300
#: Entries that make room at once. To find the oldest, a dictionary passes over all that are gone.
_AT_ONCE: Final = 256

#: Monotonic seconds until which it lasts, the reply, what it counts as, the tag of its identifier.
_Entry = tuple[float, bytes, str, int]
_NOT_FOUND: Final = outcomes.NOT_FOUND.slug
_MISSING: Final = (-math.inf, None, None, 0)


class Kept(NamedTuple):
    """A reply, and what it counts as."""

    octets: bytes
    how: str


class PacketCache:
    """Replies by request bytes, each with a time it lasts until (monotonic seconds).

    `subject` names the identifier whose record an answer about another one rests on.
    """

    def __init__(
        self,
        max_entries: int = MAX_ENTRIES,
        max_octets: int = MAX_OCTETS,
        subject: Callable[[Key], Key] = lambda key: key,
    ) -> None:
        self._max_entries = max_entries
        self._max_octets = max_octets
        self._subject = subject
        self._entries: dict[bytes, _Entry] = {}
        #: The requests about an identifier by its tag; nearly always there is one.
        self._requests_of: dict[int, bytes | set[bytes]] = {}
        #: The requests about names that nobody has, the oldest first.
        self._unknown: dict[bytes, None] = {}
        #: Until when the entry lasts that was made last.
        self._latest = 0.0
        #: What the entries take.
        self.octets = 0
        #: How often something was dropped: what was read before may be out of date after.
        self.changes = 0
        self.hits = 0
        self.evictions = 0

    @property
    def size(self) -> int:
        """How many replies are kept."""
        return len(self._entries)

    def get(self, request: bytes, now: float) -> Kept | None:
        """The reply kept for a request, None if there is none or its time is over."""
        entry = self._entries.get(request)
        if entry is None or entry[0] <= now:
            return None
        self.hits += 1
        return Kept(entry[1], entry[2])

    def get_many(
        self, requests: Sequence[bytes], now: float
    ) -> tuple[Sequence[bytes | None], Sequence[str | None], int]:
        """The same for some requests: the replies, what they count as, and how many there are.

        None is in place of what is not kept.
        """
        # A loop in Python would take as long as all of this.
        untils, replies, hows, _ = zip(
            *map(self._entries.get, requests, repeat(_MISSING)), strict=True
        )
        known = len(requests)
        if min(untils) <= now:
            over = [until <= now for until in untils]
            replies = tuple(None if late else one for one, late in zip(replies, over, strict=True))
            hows = tuple(None if late else one for one, late in zip(hows, over, strict=True))
            known -= sum(over)
        self.hits += known
        return replies, hows, known

    def put(self, request: bytes, octets: bytes, how: str, key: Key, until: float) -> None:
        """Keep a reply about `key` until the given time, in place of an older one."""
        self.put_many([(request, octets, key)], how, until)

    def put_many(self, replies: Iterable[tuple[bytes, bytes, Key]], how: str, until: float) -> None:
        """The same for several that count alike: a request, its reply, what that is about."""
        if until == self._latest:
            # Entries made together share the number: one place less in memory for a look-up.
            until = self._latest
        self._latest = until
        entries, requests_of, taken = self._entries, self._requests_of, 0
        for request, octets, key in replies:
            if len(request) > MAX_REQUEST:
                continue
            if request in entries:
                self._forget(request)
            tag = hash(self._subject(key))
            entries[request] = (until, octets, how, tag)
            taken += OVERHEAD + len(request) + len(octets)
            others = requests_of.setdefault(tag, request)
            if others is not request:
                if isinstance(others, bytes):
                    others = requests_of[tag] = {others}
                others.add(request)
            if how == _NOT_FOUND:
                self._unknown[request] = None
        self.octets += taken
        while len(self._unknown) > self._max_entries * UNKNOWN:
            self._make_room(self._unknown)
        while len(entries) > self._max_entries or self.octets > self._max_octets:
            self._make_room(entries)

    def drop(self, keys: Iterable[Key]) -> None:
        """Forget every reply about these identifiers."""
        self.changes += 1
        if not self._requests_of:
            return
        for key in map(self._subject, keys):
            requests = self._requests_of.get(hash(key), ())
            for request in (requests,) if isinstance(requests, bytes) else tuple(requests):
                self._forget(request)

    def clear(self) -> None:
        """Forget everything."""
        self.changes += 1
        self._entries.clear()
        self._requests_of.clear()
        self._unknown.clear()
        self.octets = 0

    def _make_room(self, entries: Collection[bytes]) -> None:
        """Forget the oldest of these."""
        oldest = [*islice(entries, min(_AT_ONCE, 1 + len(entries) // 8))]
        for request in oldest:
            self._forget(request)
        self.evictions += len(oldest)

    def _forget(self, request: bytes) -> None:
        _, octets, how, tag = self._entries.pop(request)
        if how == _NOT_FOUND:
            del self._unknown[request]
        self.octets -= OVERHEAD + len(request) + len(octets)
        others = self._requests_of[tag]
        if isinstance(others, set):
            others.discard(request)
        if not others or isinstance(others, bytes):
            del self._requests_of[tag]
