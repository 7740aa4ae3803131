"""Datagrams whose answers have to come from elsewhere first: so many, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

Address = tuple[Any, ...]
#: The datagrams to send back; None drops the request; an awaitable answers later.
Replies = Sequence[bytes] | None

#: Most requests of one socket that may wait for an answer from elsewhere.
MAX_WAITING: Final = 4096


class Waiting:
    """Answers of one socket that are under way; `overflows` counts what found no place.

    `send` is called once for each request, with the replies that it deserves in the end, if any.
    """

    def __init__(self, send: Callable[[Sequence[bytes], Address], None]) -> None:
        self._send = send
        self._futures: set[asyncio.Future[Replies]] = set()
        self.overflows = 0

    def add(self, replies: Awaitable[Replies], address: Address) -> None:
        """Send the replies as soon as they are there."""
        if len(self._futures) >= MAX_WAITING:
            self.overflows += 1
            if asyncio.iscoroutine(replies):
                replies.close()
            self._send((), address)
            return
        future = asyncio.ensure_future(replies)
        self._futures.add(future)
        future.add_done_callback(lambda done: self._answer(done, address))

    def __len__(self) -> int:
        return len(self._futures)

    async def drain(self, seconds: float) -> None:
        """Give them that long to come."""
        if self._futures:
            await asyncio.wait(self._futures, timeout=seconds)
        late = list(self._futures)
        for future in late:
            future.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _answer(self, done: asyncio.Future[Replies], address: Address) -> None:
        self._futures.discard(done)
        replies: Replies = None
        if not done.cancelled():
            if error := done.exception():
                asyncio.get_running_loop().call_exception_handler(
                    {"message": "a datagram's answer failed", "exception": error}
                )
            else:
                replies = done.result()
        self._send(replies or (), address)
