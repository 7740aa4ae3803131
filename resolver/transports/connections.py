"""How many connections a listener keeps, how long each may take, and who has to go.

A source may have as many as are left free. Who finds no place gets one of a connection that rests,
the longest so of the source that has the most; where none does, it is told that the node is busy.
So is who comes when the process has no descriptors left for connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum
from heapq import nsmallest
from operator import itemgetter
from time import monotonic
from typing import Final, NamedTuple, Protocol

from resolver.transports.descriptors import PROCESS, Open
from resolver.transports.shares import Shares

#: Connections of a listener, besides those that are told that there are too many.
MAX_CONNECTIONS: Final = 4096
MAX_REFUSED: Final = 256
#: Seconds after which a connection at rest may have to go, and between two searches for such ones
#: where there were none.
MIN_REST: Final = 1.0
SEARCH: Final = 1.0
#: Connections that are found by one search.
_FOUND_AT_ONCE: Final = 64


class Patience(NamedTuple):
    """How long a connection may take, in seconds.

    `rest` between requests; `message` to send a whole message, and one more second for each `rate`
    octets of it; `reading` without taking in anything of what is sent to it; `refusal` until it has
    asked what it is refused.
    """

    rest: float = 60.0
    message: float = 15.0
    rate: int = 1024
    reading: float = 15.0
    refusal: float = 2.0

    @property
    def look(self) -> float:
        """Seconds between two looks at who takes longer."""
        return min(1.0, min(self.rest, self.message, self.reading, self.refusal) / 2)


class Peer(Protocol):
    """A connection as those see it who count connections. Times are monotonic seconds."""

    @property
    def resting_since(self) -> float | None:
        """When its last request ended or, without any, it began; None while one is under way."""
        ...

    def is_late(self, now: float) -> bool:
        """Whether it has taken longer than it may."""
        ...

    def end(self) -> None:
        """Close it."""
        ...


class Admission(Enum):
    """What becomes of a new connection."""

    SERVED = "served"
    #: What it asks is answered with the word that the node is busy.
    REFUSED = "refused"
    #: At once, without a word.
    CLOSED = "closed"


class Connections:
    """The connections of one listener."""

    def __init__(
        self,
        places: int = MAX_CONNECTIONS,
        max_refused: int = MAX_REFUSED,
        clock: Callable[[], float] = monotonic,
        process: Open = PROCESS,
    ) -> None:
        self._shares = Shares(places)
        self._served: dict[Peer, str] = {}
        self._refused: set[Peer] = set()
        self._max_refused = max_refused
        self._resting: list[tuple[float, Peer]] = []
        self._next_search = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._clock = clock
        self._process = process
        #: How many got no place, had to give theirs away at rest, and took too long.
        self.turned_away = self.made_room = self.late = 0

    @property
    def open(self) -> int:
        """How many are served."""
        return len(self._served)

    def admit(self, peer: Peer, source: str) -> Admission:
        """Decide about a new connection."""
        full = self._process.is_full
        if (not full and self._shares.take(source)) or self._takes_place(source):
            self._served[peer] = source
            self._process.count += 1
            return Admission.SERVED
        self.turned_away += 1
        if full or len(self._refused) >= self._max_refused:
            return Admission.CLOSED
        self._refused.add(peer)
        self._process.count += 1
        return Admission.REFUSED

    def forget(self, peer: Peer) -> None:
        """A connection has ended."""
        source = self._served.pop(peer, None)
        if source is not None:
            self._shares.give_back(source)
            self._process.count -= 1
        elif peer in self._refused:
            self._refused.remove(peer)
            self._process.count -= 1

    def watch(self, every: float) -> None:
        """Look every so many seconds for those that take too long."""
        now = self._clock()
        for peer in [*self._served, *self._refused]:
            if peer.is_late(now):
                self.late += 1
                peer.end()
        self._timer = asyncio.get_running_loop().call_later(every, self.watch, every)

    def close(self) -> None:
        """End all of them, and look no more."""
        if self._timer is not None:
            self._timer.cancel()
        for peer in [*self._served, *self._refused]:
            peer.end()

    def _takes_place(self, source: str) -> bool:
        """Give a source the place of a connection that rests; False if none has for long."""
        now = self._clock()
        if not self._resting and now >= self._next_search:
            greediest = self._shares.greediest
            self._resting = self._longest_resting(greediest, now - MIN_REST) if greediest else []
            self._next_search = now if self._resting else now + SEARCH
        while self._resting:
            since, peer = self._resting.pop()
            if peer in self._served and peer.resting_since == since:
                self.forget(peer)
                peer.end()
                self.made_room += 1
                self._shares.take(source, always=True)
                return True
        return False

    def _longest_resting(self, source: str, before: float) -> list[tuple[float, Peer]]:
        """Some of those that have rested since before a moment, the longest last."""
        mine = (peer for peer, whose in self._served.items() if whose == source)
        rests = ((since, peer) for peer in mine if (since := peer.resting_since) is not None)
        resting = (one for one in rests if one[0] < before)
        return nsmallest(_FOUND_AT_ONCE, resting, key=itemgetter(0))[::-1]
