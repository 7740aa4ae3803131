"""Our histograms are those of HdrHistogram: its own library reads them and agrees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from load_tests import hdr
from load_tests.histogram import LONGEST, Histogram

hdrh = pytest.importorskip("hdrh.histogram", reason="hdrhistogram is not installed")


@given(st.lists(st.tuples(st.integers(1, LONGEST), st.integers(1, 10**6)), min_size=1, max_size=50))
def test_the_reference_library_decodes_what_we_encode(values: list[tuple[int, int]]) -> None:
    ours = Histogram()
    theirs = hdrh.HdrHistogram(1, LONGEST, 3)
    for value, times in values:
        ours.record(value, times)
        theirs.record_value(value, times)
    read = hdrh.HdrHistogram.decode(hdr.encode(ours))
    assert read.get_total_count() == ours.total == theirs.get_total_count()
    for percentile in (0.1, 50, 90, 99, 99.9, 100):
        assert read.get_value_at_percentile(percentile) == theirs.get_value_at_percentile(
            percentile
        )
    assert read.get_max_value() >= max(value for value, _ in values)


def test_an_empty_histogram_is_encoded_too() -> None:
    assert hdrh.HdrHistogram.decode(hdr.encode(Histogram())).get_total_count() == 0


def test_percentiles_are_those_of_the_reference_library() -> None:
    ours, theirs = Histogram(), hdrh.HdrHistogram(1, LONGEST, 3)
    for value in range(1, 997_000, 997):
        ours.record(value)
        theirs.record_value(value)
    for percentile in (1, 25, 50, 75, 90, 99, 99.9, 100):
        assert ours.quantile(percentile / 100) == theirs.get_value_at_percentile(percentile)
