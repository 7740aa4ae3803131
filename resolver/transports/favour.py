"""Requests that a reply is kept for go first, while more stands than can be answered.

Such a reply costs a few microseconds; everything else (a first question, junk, names that nobody
has) five times as much and more. Were all served alike, a flood of what is dear, from however many
addresses, would leave little time for the many who ask what everybody asks. So all of that shares a
part of the time. Where hardly anything is kept nobody is to be favoured, and nothing is put off.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Final

#: The part of the time that requests without a kept reply have at least.
PART: Final = 1 / 4
#: Favour begins where a reply is kept for this part of all. There, to find the one that has it, as
#: many are taken in and dropped as cost what two of them would, served: less is not worth it.
WORTH_IT: Final = 1 / 32
#: Batches over which that part is taken.
_OVER: Final = 16
#: Seconds that a socket counts as pressed after it was.
LASTING: Final = 0.01


class Favour:
    """The rule of one socket. `clock` gives seconds of any one clock."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._behind = self._admitted = False
        self._kept = 0.0
        self._began = self._next = self._until = 0.0
        #: Whether the requests of the batch in hand that no reply is kept for are dropped.
        self.declines = False

    def begin(self, standing: bool, pressing: bool) -> None:
        """A batch is in hand. Whether there is more than can be answered for long, and now."""
        self.declines = self._admitted = False
        self._behind = standing
        if pressing:
            self._until = self._clock() + LASTING

    def admits(self, kept: int, asked: int) -> bool:
        """Whether the others are served too, of so many that were asked and that are kept."""
        if not self._behind:
            return True
        self._kept += (kept / asked - self._kept) / _OVER
        self._began = now = self._clock()
        self.declines = self._kept >= WORTH_IT and now < self._next and now < self._until
        self._admitted = not self.declines
        return self._admitted

    def served(self) -> None:
        """The batch has been answered, which took since `admits` where that was asked."""
        if self._admitted:
            now = self._clock()
            self._next = now + (now - self._began) * (1 / PART - 1)
