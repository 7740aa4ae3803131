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

    @property
    def greediest(self) -> str | None:
        """The source with the most places; None if none is taken."""
        return max(self._of, key=self._of.__getitem__, default=None)

    def has_room(self, source: str) -> bool:
        """Whether a source may take a place."""
        return self._of.get(source, 0) < self._places - self.taken

    def take(self, source: str, always: bool = False) -> bool:
        """Take a place for a source; False if it has to do without.

        With `always` it gets one: that of another who gave one back for it.
        """
        if not always and not self.has_room(source):
            return False
        self._of[source] = self._of.get(source, 0) + 1
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
