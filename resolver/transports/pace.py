"""How fast the peer of a connection sends and takes in, held against a listener's patience."""

from __future__ import annotations

from resolver.transports.connections import Patience


class Pace:
    """Times are monotonic seconds.

    `active` is when the last request came or ended, `stalled` when the peer stopped taking replies
    in, `due` when the message that it is sending has to be whole; the latter two may be None.
    """

    __slots__ = ("_patience", "active", "due", "stalled")

    def __init__(self, patience: Patience, now: float) -> None:
        self._patience = patience
        self.active = now
        self.stalled: float | None = None
        self.due: float | None = None

    def came(self, now: float, octets: int, whole: int, held: int) -> None:
        """So many octets have come, and with them so many messages; of another one some are held.

        That has to be whole in time, the sooner the slower it comes.
        """
        if whole:
            self.active = now
        if not held:
            self.due = None
        elif whole or self.due is None:
            self.due = now + self._patience.message
        else:
            latest = now + self._patience.message
            self.due = min(self.due + octets / self._patience.rate, latest)

    def is_late(self, now: float, *, busy: bool, refused: bool) -> bool:
        """Whether the peer takes too long, while requests of it are under way or not."""
        patience = self._patience
        if self.stalled is not None:
            return now > self.stalled + patience.reading
        if busy:
            return False
        if self.due is not None:
            return now > self.due
        return now > self.active + (patience.refusal if refused else patience.rest)
