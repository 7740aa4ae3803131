"""When datagrams are late for long, something is done where it costs nothing: in the kernel.

What a server takes out of its socket only to drop it is time that it does not answer in. So while
there is more than can be answered, the socket holds no more than is answered within HOLD, and who
sends far more than is usual is held back at its door.
"""

from __future__ import annotations

from typing import Final

from resolver.transports.fence import Batch, Fence
from resolver.transports.room import Room

#: Seconds that a datagram may wait in its socket on a good day (as in RFC 8289).
TARGET: Final = 0.005
#: Seconds for which all were late before anything is done, and between two measures: longer than a
#: burst lasts, and than a socket takes to be emptied.
PERIOD: Final = 0.1


class Overload:
    """The watch over one socket. Times are in seconds of any one clock."""

    def __init__(self, fence: Fence, room: Room) -> None:
        self._fence = fence
        self._room = room
        #: Since when it is measured, and how many had been answered then; None on good days.
        self._since: float | None = None
        self._answered = 0

    @property
    def is_standing(self) -> bool:
        """Whether more comes than can be answered, and not just for a moment."""
        return self._room.is_short

    @property
    def worth_keeping(self) -> int:
        """How many datagrams are answered soon."""
        return self._room.datagrams

    def on_time(self, now: float) -> None:
        """Datagrams came that had not waited, or the socket was emptied."""
        self._since = None
        if self._room.is_short or self._fence.shares:
            self._room.ease(now)
            self._fence.ease(now)

    def late(self, batch: Batch, now: float, answered: int) -> None:
        """Datagrams came that had waited, more wait; so many were answered until now."""
        if self._since is None:
            self._since, self._answered = now, answered
            self._fence.forget()
        self._fence.see(batch)
        elapsed = now - self._since
        if elapsed >= PERIOD:
            if not self._fence.tighten(now):
                self._room.shorten((answered - self._answered) / elapsed, now)
            self._since, self._answered = now, answered
