"""A log-linear histogram of nanoseconds: three significant digits, cheap to record, mergeable.

The buckets are those of HdrHistogram with a lowest value of 1 and three digits: 2,048 of width one,
then 1,024 of every doubled width. Only buckets that were hit are kept.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

#: Longest time told apart, in nanoseconds: one hour. What is longer counts as this.
LONGEST: Final = 3_600_000_000_000
_HALF_BITS: Final = 10
_EXACT_BITS: Final = _HALF_BITS + 1


def bucket_of(value: int) -> int:
    """The number of the bucket that a value of at least 0 falls into."""
    width = value.bit_length() - _EXACT_BITS
    return value if width <= 0 else (width << _HALF_BITS) + (value >> width)


def lowest_in(bucket: int) -> int:
    """The smallest value of a bucket."""
    width = (bucket >> _HALF_BITS) - 1
    return bucket if width <= 0 else (bucket - (width << _HALF_BITS)) << width


def highest_in(bucket: int) -> int:
    """The largest value of a bucket, which is what percentiles report."""
    return lowest_in(bucket + 1) - 1


class Histogram:
    """How often each duration occurred; `counts` is by bucket."""

    __slots__ = ("counts",)

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts: defaultdict[int, int] = defaultdict(int, counts or {})

    def record(self, value: int, times: int = 1) -> None:
        """Count a duration in nanoseconds; a negative one counts as 0."""
        if value < 0:
            value = 0
        elif value > LONGEST:
            value = LONGEST
        width = value.bit_length() - _EXACT_BITS
        self.counts[value if width <= 0 else (width << _HALF_BITS) + (value >> width)] += times

    def add(self, other: Histogram) -> None:
        """Count everything that the other has counted."""
        counts = self.counts
        for bucket, count in other.counts.items():
            counts[bucket] += count

    def clear(self) -> None:
        self.counts.clear()

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def longest(self) -> int:
        """The largest value recorded, to three digits; 0 if there is none."""
        return min(highest_in(max(self.counts)), LONGEST) if self.counts else 0

    @property
    def mean(self) -> float:
        """In nanoseconds, from the middle of each bucket; 0 if nothing was recorded."""
        if not (total := self.total):
            return 0.0
        middles = (
            (lowest_in(bucket) + highest_in(bucket)) / 2 * count
            for bucket, count in self.counts.items()
        )
        return sum(middles) / total

    def quantile(self, fraction: float) -> int:
        """The smallest value, to three digits, that this fraction of all values does not exceed."""
        wanted = max(1, math.ceil(round(fraction * self.total, 6)))
        passed = 0
        for bucket, count in self.ascending():
            passed += count
            if passed >= wanted:
                return min(highest_in(bucket), LONGEST)
        return 0

    def ascending(self) -> Iterator[tuple[int, int]]:
        """Buckets with their counts, from the shortest time to the longest."""
        return iter(sorted(self.counts.items()))
