"""Who sends so much that there is no room for others is held back, while there is none.

Requests that come on time are none of its business. Once they have been late for a while, it counts
where they come from; a source that sends far more than is usual gets no more than a fair share let
in, and all of it again when the trouble is over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import median_low
from typing import Final, Protocol

#: Seconds that a datagram may wait in its socket on a good day (as in RFC 8289).
TARGET: Final = 0.005
#: Seconds for which all were late before anybody is held back, and between two tightenings: longer
#: than a burst lasts, and than a socket takes to be emptied.
PERIOD: Final = 0.1
#: Seconds of good days after which those held back are let in twice as much.
RELIEF: Final = 1.0
#: Datagrams that a judgement rests on: at least, and at most.
MIN_SEEN: Final = 256
MAX_SEEN: Final = 4096
#: What no source is denied: this part of all, or that many times as much as is usual.
FAIR_PART: Final = 1 / 8
FAIR_TIMES: Final = 2
#: Most sources that are held back at the same time, and the least that is let in of one.
MAX_HELD: Final = 16
LEAST: Final = 1 / 1024

#: Lets in these shares (0 to 1) of what some hosts send, and all that others do.
HoldBack = Callable[[Mapping[str, float]], None]


class Batch(Protocol):
    """Datagrams that came together."""

    def hosts(self) -> Sequence[str]: ...


class Fence:
    """The fence of one socket. Times are in seconds of any one clock."""

    def __init__(self, hold_back: HoldBack) -> None:
        self.shares: dict[str, float] = {}
        self._hold_back = hold_back
        self._seen: Counter[str] = Counter()
        self._on_time = 0.0
        self._next_change = 0.0

    def on_time(self, now: float) -> None:
        """Datagrams came that had not waited."""
        self._on_time = now
        if self.shares and now >= self._next_change:
            self.shares = {host: 2 * share for host, share in self.shares.items() if share < 0.5}
            self._change(now + RELIEF)

    def see(self, batch: Batch, now: float) -> None:
        """Datagrams came that had waited."""
        if now - self._on_time < PERIOD:
            self._seen.clear()
            return
        if self._seen.total() < MAX_SEEN:
            self._seen.update(batch.hosts())
        if self._seen.total() >= MIN_SEEN and now >= self._next_change:
            self._tighten(now)

    def _tighten(self, now: float) -> None:
        usual, all_of_them = median_low(self._seen.values()), self._seen.total()
        fair = max(FAIR_TIMES * usual, FAIR_PART * all_of_them)
        greedy = {host: count for host, count in self._seen.items() if count > fair}
        if len(self._seen) > 1 and greedy:
            for host, count in greedy.items():
                if host in self.shares or len(self.shares) < MAX_HELD:
                    self.shares[host] = max(LEAST, self.shares.get(host, 1.0) * fair / count)
            self._change(now + PERIOD)
        self._seen.clear()

    def _change(self, next_change: float) -> None:
        self._next_change = next_change
        self._hold_back(self.shares)
