"""All replies that a node keeps, in whichever front-end, so that a change drops them everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from registry.schemes.handle import Key
from resolver.cache.packets import PacketCache


class KeptReplies:
    """The packet caches of a node's front-ends."""

    def __init__(self) -> None:
        self._caches: list[PacketCache] = []

    def add(self, caches: Iterable[PacketCache]) -> None:
        self._caches += caches

    def drop(self, keys: Sequence[Key] | None) -> None:
        """Forget the replies about some identifiers, None for all of them."""
        for cache in self._caches:
            if keys is None:
                cache.clear()
            else:
                cache.drop(keys)
