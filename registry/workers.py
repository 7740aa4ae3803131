"""Threads for what takes a core for longer than a request may: key derivation and signatures.

The event loop goes on answering meanwhile, for OpenSSL gives up the interpreter lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from registry.errors import Overloaded

P = ParamSpec("P")
R = TypeVar("R")

#: Calls that may be under way or wait; at 5 ms each the last of them waits a second.
MAX_WAITING: Final = 256


class Workers:
    """A pool with a bounded queue; closed by `close`. Each thread begins with `prepare`."""

    def __init__(
        self,
        name: str,
        threads: int = 1,
        max_waiting: int = MAX_WAITING,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        self._pool = ThreadPoolExecutor(threads, name, prepare)
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
