"""Who hears of a commit. Caches subscribe; the store knows nothing of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from registry.schemes.handle import Key
from registry.storage.interface import Subscriber

_log = logging.getLogger(__name__)


class ChangeFeed:
    """Calls every subscriber, in the order they came, once a commit."""

    def __init__(self) -> None:
        self._subscribers: list[Subscriber] = []

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def publish(self, keys: Sequence[Key], homed_changed: bool) -> None:
        for subscriber in tuple(self._subscribers):
            try:
                subscriber(keys, homed_changed)
            except Exception:
                # The commit is durable: a listener's bug must not turn it into a failure.
                _log.exception("a subscriber of the change feed failed")
