"""Who sends so much that there is no room for others is held back, while there is none.

Of all that comes while a socket is overloaded it is counted where it is from. A source that sends
far more than is usual gets no more than a fair share let in, and all of it again in the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import median_low
from typing import Final, Protocol

#: Datagrams that a judgement rests on: at least, and at most.
MIN_SEEN: Final = 256
MAX_SEEN: Final = 1024
#: What no source is denied: this part of all, or that many times as much as is usual.
FAIR_PART: Final = 1 / 8
FAIR_TIMES: Final = 2
#: Most sources that are held back at the same time, and the least that is let in of one.
MAX_HELD: Final = 16
LEAST: Final = 1 / 1024
#: Seconds of good days after which those held back are let in twice as much: at first, and where
#: that was too soon again and again.
RELIEF: Final = 1.0
MAX_RELIEF: Final = 32.0

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
        self._relief = RELIEF
        self._eased = False
        self._next_change = 0.0

    def see(self, batch: Batch) -> None:
        """Datagrams came."""
        if self._seen.total() < MAX_SEEN:
            self._seen.update(batch.hosts())

    def forget(self) -> None:
        """What was seen until now does not count."""
        self._seen.clear()

    def tighten(self, now: float) -> bool:
        """Hold back who was seen to send more than a fair share; False if nobody did."""
        greedy = {}
        if len(self._seen) > 1 and self._seen.total() >= MIN_SEEN:
            fair = max(FAIR_TIMES * median_low(self._seen.values()), FAIR_PART * self._seen.total())
            greedy = {host: fair / count for host, count in self._seen.items() if count > fair}
        self._seen.clear()
        for host, part in greedy.items():
            if host in self.shares or len(self.shares) < MAX_HELD:
                self.shares[host] = max(LEAST, self.shares.get(host, 1.0) * part)
        if greedy:
            self._relief = min(MAX_RELIEF, 2 * self._relief) if self._eased else self._relief
            self._eased = False
            self._change(now)
        return bool(greedy)

    def ease(self, now: float) -> None:
        """Nothing is late."""
        if self.shares and now >= self._next_change:
            self.shares = {host: 2 * share for host, share in self.shares.items() if share < 0.5}
            self._eased = bool(self.shares)
            self._relief = self._relief if self.shares else RELIEF
            self._change(now)

    def _change(self, now: float) -> None:
        self._next_change = now + self._relief
        self._hold_back(self.shares)
