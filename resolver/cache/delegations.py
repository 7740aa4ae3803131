"""Which sites answer for which prefix, as their parents said.

An entry is made only from what the node above a prefix handed out, and never outlives the entry
through which that node was found: a prefix that its parent revokes is gone after at most
`MAX_TTL` seconds, whatever the prefix or those below it announce. Times are monotonic seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from registry.schemes.handle import ancestors
from registry.values.site import Site
from resolver.cache.bounded import Bounded

MAX_TTL: Final = 3600
#: What an entry weighs beside its site values, in octets.
OVERHEAD: Final = 600


@dataclass(frozen=True, slots=True)
class Zone:
    """A prefix (empty for the root) and its sites; the parent's word for it ends at `expires`."""

    prefix: str
    sites: tuple[Site, ...]
    expires: float
    cached: bool = False


class DelegationCache:
    """Zones by prefix; `capacity` is in octets, the least recently used make room."""

    def __init__(self, capacity: int = 16 << 20) -> None:
        self._zones: Bounded[str, Zone] = Bounded(capacity)

    def __len__(self) -> int:
        return len(self._zones)

    def closest(self, prefix: str, now: float) -> Zone | None:
        """The zone of the prefix or of the nearest ancestor that is known and still alive."""
        for candidate in ancestors(prefix) if prefix else ():
            zone = self._zones.get(candidate)
            if zone is None:
                continue
            if zone.expires > now:
                return zone
            self._zones.drop(candidate)
        return None

    def put(self, prefix: str, sites: tuple[Site, ...], expires: float, octets: int) -> None:
        """Keep what the parent of `prefix` said (`octets` of it), in place of older words."""
        self._zones.put(prefix, Zone(prefix, sites, expires, cached=True), OVERHEAD + octets)

    def forget(self, prefix: str) -> None:
        """Drop a zone whose servers no longer answer as it says."""
        self._zones.drop(prefix)

    def clear(self) -> None:
        """Forget everything."""
        self._zones.clear()
