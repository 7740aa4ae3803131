"""How late the event loop is: every socket of the process has waited at least as long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

#: Seconds between two measurements, each of which is a timer that does nothing else.
EVERY: Final = 0.25


class LoopLag:
    """Tells `observe`, from `start` to `stop`, by how many seconds a timer of the loop was late."""

    def __init__(self, observe: Callable[[float], None], every: float = EVERY) -> None:
        self._observe = observe
        self._every = every
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._every, self._wake, loop, loop.time() + self._every)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _wake(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self._observe(max(0.0, loop.time() - due))
        self.start()
