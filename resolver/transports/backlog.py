"""Datagrams that came faster than they are answered: the newest first, while it is worth it.

Who has waited long has mostly given up or asked again, and would be answered for nothing; the
newest are those who still listen. So a server that is behind empties its socket, where order is
that of arrival, onto this stack.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from resolver.transports.account import Account
from resolver.transports.arrivals import Arrivals
from resolver.transports.batches import BatchSocket
from resolver.transports.datagram_socket import DEADLINE
from resolver.transports.overload import Overload
from resolver.transports.slots import BATCH

#: Batches that are kept; fresher ones take the place of the oldest.
MAX_KEPT: Final = 32
#: Batches that are taken in at a time: more than a full socket holds.
MAX_TAKEN: Final = 256


class Backlog:
    """The stack of one socket; `overload` sees what comes onto it.

    Times are Unix seconds, as the kernel's stamps are. A datagram on the stack is `waiting`.
    """

    def __init__(self, sock: BatchSocket, account: Account, overload: Overload) -> None:
        self._socket = sock
        self._account = account
        self._overload = overload
        self._kept: deque[Arrivals] = deque()

    def __bool__(self) -> bool:
        return bool(self._kept)

    def take_in(self, now: float) -> None:
        """Set aside the batch in hand, and what the socket holds besides."""
        sock = self._socket
        for _ in range(MAX_TAKEN):
            count = sock.batch.count
            if count:
                self._overload.note(sock.batch, True, now, self._account.done)
                self._push(sock.set_aside(), now)
            if count < BATCH:
                return
            self._account.received += sock.receive()
        self._push(sock.set_aside(), now)

    def take_up(self, now: float) -> None:
        """Have the newest batch in hand again, of which those that still count are answered."""
        batch = self._kept.pop()
        self._socket.take_up(batch)
        self._account.waiting -= batch.count
        batch.first = self._drop_aged(batch, now)

    def drop(self) -> None:
        """Forget everything: the server ends."""
        for batch in self._kept:
            self._account.waiting -= batch.count
            self._account.dropped["ended"] += batch.count
            self._socket.release(batch)
        self._kept.clear()

    def _push(self, batch: Arrivals, now: float) -> None:
        self._kept.append(batch)
        self._account.waiting += batch.count
        most = min(MAX_KEPT, self._overload.worth_keeping // BATCH)
        while len(self._kept) > most:
            oldest = self._kept.popleft()
            self._account.waiting -= oldest.count
            self._account.dropped["backlog"] += oldest.count - self._drop_aged(oldest, now)
            self._socket.release(oldest)

    def _drop_aged(self, batch: Arrivals, now: float) -> int:
        aged = batch.older_than(now - DEADLINE)
        if aged:
            self._account.dropped["aged"] += aged
        return aged
