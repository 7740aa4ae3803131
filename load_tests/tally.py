"""What a run counted: outcomes, latencies, and how well the generator kept its schedule."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from load_tests.histogram import Histogram

#: How many wrong replies are kept to be looked at.
MAX_EXAMPLES: Final = 5
#: A request sent so many nanoseconds after its time, or more, is late.
LATE: Final = 10_000_000


@dataclass(slots=True)
class Second:
    """One second of a run, the number `at` of it: what was sent, and what came, in that second."""

    at: int
    sent: int = 0
    right: int = 0
    failed: int = 0
    latency: Histogram = field(default_factory=Histogram)

    def add(self, other: Second) -> None:
        """Count what another generator did in the same second."""
        self.sent += other.sent
        self.right += other.right
        self.failed += other.failed
        self.latency.add(other.latency)


@dataclass(slots=True)
class Tally:
    """The sums of one generator, or of several added up.

    `latency` is counted from the intended send time, `service` from the real one, `lateness` is
    the difference; right replies only. `slow` replies were right and came after the deadline.
    """

    sent: int = 0
    #: Requests that could not be sent when due: no free id or connection.
    unsent: int = 0
    late: int = 0
    right: int = 0
    slow: int = 0
    wrong: int = 0
    refused: int = 0
    lost: int = 0
    #: Datagrams that belong to nothing under way: repeated, forged, or long given up.
    strays: int = 0
    #: Replies that the generator's own sockets had no room for.
    dropped: int = 0
    octets_sent: int = 0
    octets_received: int = 0
    latency: Histogram = field(default_factory=Histogram)
    service: Histogram = field(default_factory=Histogram)
    lateness: Histogram = field(default_factory=Histogram)
    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    #: CPU seconds of the generator, and seconds from its start to the last right reply.
    cpu: float = 0.0
    seconds: float = 0.0

    def add(self, other: Tally) -> None:
        """Count what another generator counted at the same time."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _HISTOGRAMS:
            getattr(self, name).add(getattr(other, name))
        self.reasons.update(other.reasons)
        self.examples = [*self.examples, *other.examples][:MAX_EXAMPLES]
        self.seconds = max(self.seconds, other.seconds)

    @property
    def failed(self) -> int:
        """Requests that ended without the right reply."""
        return self.wrong + self.refused + self.lost


_SUMS: Final = (
    "sent",
    "unsent",
    "late",
    "right",
    "slow",
    "wrong",
    "refused",
    "lost",
    "strays",
    "dropped",
    "octets_sent",
    "octets_received",
    "cpu",
)
_HISTOGRAMS: Final = ("latency", "service", "lateness")
