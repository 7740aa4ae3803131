"""Datagrams whose answers have to come from elsewhere first: so many, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from resolver.transports.account import Account
from resolver.transports.shares import Shares

Address = tuple[Any, ...]
#: The datagrams to send back; None drops the request; an awaitable answers later.
Replies = Sequence[bytes] | None

#: Most requests of one socket that may wait for an answer from elsewhere.
MAX_WAITING: Final = 4096


class Waiting:
    """Answers of one socket that are under way, each source's share of them bounded.

    `send` is called with the replies of each request that comes to deserve some.
    """

    def __init__(
        self,
        send: Callable[[Sequence[bytes], Address], None],
        account: Account,
        places: int = MAX_WAITING,
    ) -> None:
        self._send = send
        self._account = account
        self._shares = Shares(places)
        self._futures: set[asyncio.Future[Replies]] = set()

    def has_room(self, source: str) -> bool:
        """Whether one more of a source may wait."""
        return self._shares.has_room(source)

    def add(self, replies: Awaitable[Replies], address: Address) -> None:
        """Send the replies as soon as they are there; there has to be room."""
        self._shares.take(address[0])
        self._account.waiting += 1
        future = asyncio.ensure_future(replies)
        self._futures.add(future)
        future.add_done_callback(lambda done: self._answer(done, address))

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
        self._shares.give_back(address[0])
        self._account.waiting -= 1
        if done.cancelled():
            self._account.dropped["ended"] += 1
        elif error := done.exception():
            self._account.dropped["failed"] += 1
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a datagram's answer failed", "exception": error}
            )
        elif replies := done.result():
            self._send(replies, address)
        else:
            self._account.dropped["unanswerable"] += 1
