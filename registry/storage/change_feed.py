"""Who hears of a commit. Caches subscribe; the store knows nothing of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from registry.schemes.handle import Key
from registry.storage.interface import Subscriber

_log = logging.getLogger(__name__)


class ChangeFeed:
    """Calls every subscriber, in the order they came, once a commit; one commit after another."""

    def __init__(self) -> None:
        self._subscribers: list[Subscriber] = []
        self._one_commit = asyncio.Lock()

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    async def publish(self, keys: Sequence[Key] | None, homed_changed: bool) -> None:
        async with self._one_commit:
            for subscriber in tuple(self._subscribers):
                try:
                    hearing = subscriber(keys, homed_changed)
                    if hearing is not None:
                        await hearing
                except Exception:
                    # The commit is durable: a listener's bug must not turn it into a failure.
                    _log.exception("a subscriber of the change feed failed")
