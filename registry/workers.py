"""Threads for what takes a core for longer than a request may: key derivation and signatures.

The event loop goes on answering meanwhile, for OpenSSL gives up the interpreter lock, and for the
threads have next to nothing of a core that the loop wants.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from registry.errors import Overloaded

P = ParamSpec("P")
R = TypeVar("R")

#: Calls that may be under way or wait; at 5 ms each the last of them waits a second.
MAX_WAITING: Final = 256
#: How little a thread asks for of a core that others want too (see nice(2)).
_NICENESS: Final = 15


class Workers:
    """A pool with a bounded queue; closed by `close`."""

    def __init__(self, name: str, threads: int = 1, max_waiting: int = MAX_WAITING) -> None:
        self._pool = ThreadPoolExecutor(threads, name, _yield_to_others)
        self._max_waiting = max_waiting
        self._waiting = 0

    async def run(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The result of the call, made in a thread. Raises Overloaded, and what it raises."""
        if self._waiting >= self._max_waiting:
            raise Overloaded("too much waits for authentication")
        self._waiting += 1
        try:
            future = self._pool.submit(call, *args, **kwargs)
            return await asyncio.wrap_future(future)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Forget what waits, and end once what is under way is done."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _yield_to_others() -> None:
    """On Linux a thread has a niceness of its own; elsewhere it stays as it is."""
    renice: Callable[[int, int, int], None] | None = getattr(os, "setpriority", None)
    if renice is not None and os.uname().sysname == "Linux":
        renice(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
