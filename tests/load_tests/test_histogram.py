"""Percentiles are right to three digits, for values of any size and after merging."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from load_tests.histogram import LONGEST, Histogram, bucket_of, highest_in, lowest_in

DURATIONS = st.integers(min_value=0, max_value=LONGEST)


@given(DURATIONS)
def test_every_value_lies_in_its_bucket_which_is_narrow(value: int) -> None:
    bucket = bucket_of(value)
    low, high = lowest_in(bucket), highest_in(bucket)
    assert low <= value <= high
    assert high - low <= value / 1000


@given(DURATIONS)
def test_buckets_leave_no_gap(value: int) -> None:
    bucket = bucket_of(value)
    assert bucket_of(lowest_in(bucket)) == bucket_of(highest_in(bucket)) == bucket
    assert bucket_of(highest_in(bucket) + 1) == bucket + 1


@given(
    st.lists(DURATIONS, min_size=1, max_size=200), st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.999, 1])
)
def test_quantiles_are_those_of_the_sorted_values(values: list[int], fraction: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    exact = sorted(values)[max(1, math.ceil(fraction * len(values))) - 1]
    assert exact <= histogram.quantile(fraction) <= exact + exact // 1000
    assert histogram.total == len(values)
    assert max(values) <= histogram.longest <= min(LONGEST, max(values) * 1.001)


def test_merged_is_as_if_recorded_together() -> None:
    chance = random.Random(7)
    together, parts = Histogram(), [Histogram(), Histogram()]
    for _ in range(1000):
        value = chance.randrange(10**9)
        together.record(value)
        chance.choice(parts).record(value)
    parts[0].add(parts[1])
    assert parts[0].counts == together.counts


def test_what_is_out_of_range_counts_at_its_end() -> None:
    histogram = Histogram()
    histogram.record(-5)
    histogram.record(LONGEST * 10)
    assert (histogram.quantile(0.5), histogram.longest) == (0, LONGEST)


def test_of_nothing_there_are_no_figures() -> None:
    empty = Histogram()
    assert (empty.quantile(0.99), empty.longest, empty.mean, empty.total) == (0, 0, 0.0, 0)


def test_the_mean_is_that_of_the_values() -> None:
    histogram = Histogram()
    for value in (1_000_000, 3_000_000):
        histogram.record(value)
    assert histogram.mean == pytest.approx(2_000_000, rel=0.001)
