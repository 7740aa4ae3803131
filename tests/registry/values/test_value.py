"""What is told of a stored record without decoding it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from registry.values.value import (
    Value,
    bounds,
    encode_record,
    scan,
)
from tests.support.record_strategies import VALUES


@given(st.lists(VALUES, max_size=5))
def test_bounds_are_those_of_the_spans(some: list[Value]) -> None:
    record = encode_record(some)

    found = bounds(record)
    assert [start for start, _, _ in found] == [span.start for span in scan(record)]
    for (start, type_end, data_end), value in zip(found, some, strict=True):
        assert record[start + 18 : type_end] == value.type
        assert record[type_end + 4 : data_end] == value.data
