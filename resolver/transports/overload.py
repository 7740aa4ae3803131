"""When datagrams are late for long, something is done where it costs nothing: in the kernel.

What a server takes out of its socket only to drop it is time that it does not answer in. So while
there is more than can be answered, the socket holds no more than is answered soon, and who sends
far more than is usual is held back at its door.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from resolver.transports.fence import Batch, Fence
from resolver.transports.room import Room

#: Seconds that a datagram may wait in its socket on a good day (as in RFC 8289).
TARGET: Final = 0.005
#: Seconds for which all were late before anything is done, and between two measures: longer than a
#: burst lasts, and than a socket takes to be emptied.
PERIOD: Final = 0.1
#: A socket with little room loses some of a burst. More than this part of what is answered is more
#: than can be answered.
BURSTS: Final = 0.1


class Overload:
    """The watch over one socket, which has `lost` so many datagrams.

    Times are in seconds of any one clock.
    """

    def __init__(self, fence: Fence, room: Room, lost: Callable[[], int]) -> None:
        self._fence = fence
        self._room = room
        self._lost = lost
        #: Since when it is measured, None on good days; what was answered and lost before; whether
        #: all were late since then.
        self._since: float | None = None
        self._answered_before = self._lost_before = 0
        self._all_late = True

    @property
    def is_standing(self) -> bool:
        """Whether more comes than can be answered, and not just for a moment."""
        return self._room.is_short

    @property
    def worth_keeping(self) -> int:
        """How many datagrams are answered soon."""
        return self._room.datagrams

    def note(self, batch: Batch, late: bool, now: float, answered: int) -> None:
        """Datagrams came; `late` if they had waited and more wait. So many were answered so far."""
        if not late and not (self._room.is_short or self._fence.shares):
            self._since = None
            return
        if self._since is None:
            self._begin(now, answered)
        self._all_late &= late
        self._fence.see(batch)
        if self._since is not None and now - self._since >= PERIOD:
            self._act(now - self._since, now, answered)
            self._begin(now, answered)

    def emptied(self) -> None:
        """The socket holds no more."""
        self._all_late = False

    def _begin(self, now: float, answered: int) -> None:
        self._since, self._all_late = now, True
        self._answered_before, self._lost_before = answered, self._lost()
        self._fence.forget()

    def _act(self, seconds: float, now: float, answered: int) -> None:
        done, lost = answered - self._answered_before, self._lost() - self._lost_before
        # What is lost beside a fence is what it holds back.
        too_many = self._all_late or (not self._fence.shares and lost > BURSTS * done)
        if not too_many:
            self._fence.ease(now)
            self._room.ease(now)
        elif self._fence.tighten(now):
            # The others get their room back; whether it is enough is seen by who is late.
            self._room.restore(now)
        elif self._all_late:
            self._room.shorten(done / seconds, now)
