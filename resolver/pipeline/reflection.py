"""Nobody is to be flooded through this node: what an unproven address is sent is bounded.

The address of a UDP request can be forged, and Handle answers in several datagrams. A source gets
three times the octets it sent (RFC 9000 section 8.1 sets that bound for QUIC) and a bucket of
octets beyond that, refilled over time. Loopback is exempt: it cannot be forged from outside.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

FACTOR: Final = 3
BURST_OCTETS: Final = 65_536.0
OCTETS_A_SECOND: Final = 16_384.0
MAX_SOURCES: Final = 4096
LOOPBACK: Final = ("127.", "::1")


class ReflectionBudget:
    """A bucket of octets for each recent source address; times are monotonic seconds."""

    def __init__(self, exempt: tuple[str, ...] = LOOPBACK) -> None:
        self._exempt = exempt
        self._buckets: dict[str, tuple[float, float]] = {}

    def trusts(self, sources: Iterable[str]) -> bool:
        """Whether all of them are exempt."""
        return all(source.startswith(self._exempt) for source in sources)

    def allows(self, source: str, received: int, sent: int, now: float) -> bool:
        """Whether `sent` octets may answer `received` ones; if so they are paid for."""
        excess = sent - FACTOR * received
        if excess <= 0 or source.startswith(self._exempt):
            return True
        left, then = self._buckets.pop(source, (BURST_OCTETS, now))
        left = min(BURST_OCTETS, left + (now - then) * OCTETS_A_SECOND)
        allowed = excess <= left
        if len(self._buckets) >= MAX_SOURCES:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[source] = (left - excess if allowed else left, now)
        return allowed
