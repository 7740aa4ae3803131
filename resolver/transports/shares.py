"""Places that sources share: none can take so many that there are none left for the others.

A source may have as many places as are left free (the dynamic thresholds of Choudhury and Hahne,
"Dynamic queue length thresholds for shared-memory packet switches", 1998): alone it gets half of
them, each of two greedy ones gets a third, and whoever comes then still finds some.
"""

from __future__ import annotations


class Shares:
    """`places` in all; `taken` of them. The table has no more entries than places are taken."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._of: dict[str, int] = {}
        self.taken = 0

    def take(self, source: str) -> bool:
        """Take a place for a source; False if it has to do without."""
        own = self._of.get(source, 0)
        if own >= self._places - self.taken:
            return False
        self._of[source] = own + 1
        self.taken += 1
        return True

    def give_back(self, source: str) -> None:
        """A place that was taken for the source is free again."""
        self.taken -= 1
        left = self._of[source] - 1
        if left:
            self._of[source] = left
        else:
            del self._of[source]
