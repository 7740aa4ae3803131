"""A dictionary with a bound on what its entries weigh; the least recently used make room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """Entries with a weight each, at most `capacity` in all; `evictions` counts the pushed out."""

    __slots__ = ("_entries", "capacity", "evictions", "weight")

    def __init__(self, capacity: int) -> None:
        self._entries: OrderedDict[K, tuple[int, V]] = OrderedDict()
        self.capacity = capacity
        self.weight = 0
        self.evictions = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """The entry, which is now the most recently used."""
        found = self._entries.get(key)
        if found is None:
            return None
        self._entries.move_to_end(key)
        return found[1]

    def put(self, key: K, value: V, weight: int) -> None:
        """Keep an entry in place of an older one; what is heavier than the whole is not kept."""
        self.drop(key)
        if weight > self.capacity:
            return
        self._entries[key] = (weight, value)
        self.weight += weight
        while self.weight > self.capacity:
            _, (pushed, _) = self._entries.popitem(last=False)
            self.weight -= pushed
            self.evictions += 1

    def drop(self, key: K) -> None:
        """Forget an entry, if there is one."""
        found = self._entries.pop(key, None)
        if found is not None:
            self.weight -= found[0]

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self.weight = 0
