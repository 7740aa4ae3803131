"""How many datagrams a socket holds: as many as are answered soon, while there are too many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from resolver.transports.datagram_socket import RECEIVE_BUFFER

#: Seconds within which what a socket holds is to be answered.
HOLD: Final = 0.02
#: Octets of the buffer asked for that a short datagram takes: Linux grants twice as many.
PER_DATAGRAM: Final = 384
#: Never fewer than that: some batches.
MIN_DATAGRAMS: Final = 256
#: Seconds of good days after which a socket that was made smaller gets twice the room.
RELIEF: Final = 1.0


class Room:
    """The room of one socket; `resize` is told the octets to ask for as its receive buffer."""

    def __init__(self, resize: Callable[[int], None]) -> None:
        self._resize = resize
        self._octets = RECEIVE_BUFFER
        self._next_change = 0.0

    @property
    def is_short(self) -> bool:
        """Whether there is less than on good days."""
        return self._octets < RECEIVE_BUFFER

    @property
    def datagrams(self) -> int:
        """How many short ones fit in."""
        return self._octets // PER_DATAGRAM

    def shorten(self, rate: float, now: float) -> None:
        """Hold what is answered soon at this rate (answers a second)."""
        datagrams = max(MIN_DATAGRAMS, round(rate * HOLD))
        self._change(min(RECEIVE_BUFFER, datagrams * PER_DATAGRAM), now)

    def restore(self, now: float) -> None:
        """Hold as much as on good days."""
        if self.is_short:
            self._change(RECEIVE_BUFFER, now)

    def ease(self, now: float) -> None:
        """Nothing is late."""
        if self.is_short and now >= self._next_change:
            self._change(min(RECEIVE_BUFFER, 2 * self._octets), now)

    def _change(self, octets: int, now: float) -> None:
        self._octets = octets
        self._next_change = now + RELIEF
        self._resize(octets)
