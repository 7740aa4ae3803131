"""Whether the generator did what it was to do: without that, its figures say nothing."""

from __future__ import annotations

from typing import Final

import msgspec

from load_tests import durations
from load_tests.pacing import SECOND
from load_tests.tally import LATE, Tally

#: More requests than this part sent late, or this part of a core used, and the generator is at
#: its end.
LATE_PART: Final = 0.01
CPU_PART: Final = 0.95
#: Lateness that is more than this part of the latency is worth a remark.
REMARKABLE_PART: Final = 0.25


class Health(msgspec.Struct, frozen=True):
    """`cpu` is in cores, over all generators; `late_p99` in seconds.

    `concerns` are sentences that say why not to believe the figures, none if all is well; `remarks`
    are to be known when reading them.
    """

    generators: int
    cpu: float
    late: int
    late_p99: float
    unsent: int
    dropped: int
    concerns: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        return not self.concerns


def examine(total: Tally, generators: int) -> Health:
    """The health of so many generators whose tallies were added up."""
    cpu = total.cpu / total.seconds if total.seconds else 0.0
    late_p99 = total.lateness.quantile(0.99) / SECOND
    concerns = []
    if total.late > LATE_PART * total.sent:
        concerns.append(
            f"It did not keep its schedule: {total.late / total.sent:.1%} of the requests went out"
            f" {durations.written(LATE / SECOND)} or more after their time"
            f" (p99 {durations.written(late_p99)})."
        )
    if total.unsent:
        concerns.append(f"{total.unsent:,} requests were not sent: no id was free.")
    if total.dropped:
        concerns.append(f"Its own sockets had no room for {total.dropped:,} replies.")
    if cpu > CPU_PART * generators:
        concerns.append("It used all of its processor time: run more processes, or a lower rate.")
    remarks = []
    if late_p99 > REMARKABLE_PART * (latency := total.latency.quantile(0.99) / SECOND):
        remarks.append(
            f"The p99 of {durations.written(latency)} contains its own lateness, of which the p99"
            f" is {durations.written(late_p99)}: nodes and generator share the processors."
        )
    return Health(
        generators,
        cpu,
        total.late,
        late_p99,
        total.unsent,
        total.dropped,
        tuple(concerns),
        tuple(remarks),
    )
