"""What is told of a stored record without decoding it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from registry.values.value import (
    TTL_ABSOLUTE,
    Reference,
    Value,
    bounds,
    encode_record,
    scan,
    survey,
)

U32 = st.integers(0, 2**32 - 1)
VALUES = st.builds(
    Value,
    index=U32,
    type=st.binary(max_size=20),
    data=st.binary(max_size=300),
    ttl_type=st.integers(0, 1),
    ttl=U32,
    timestamp=U32,
    permissions=st.integers(0, 15),
    references=st.lists(st.builds(Reference, st.binary(max_size=9), U32), max_size=2).map(tuple),
)


@given(st.lists(VALUES, max_size=5), U32)
def test_a_survey_tells_what_the_values_have_in_common(some: list[Value], now: int) -> None:
    common, lives = 0xF, []
    for value in some:
        common &= value.permissions
        absolute = value.ttl_type == TTL_ABSOLUTE
        lives.append(max(0, value.ttl - now) if absolute else value.ttl)

    assert survey(encode_record(some), now) == (common, min(lives, default=0))


@given(st.lists(VALUES, max_size=5))
def test_bounds_are_those_of_the_spans(some: list[Value]) -> None:
    record = encode_record(some)

    found = bounds(record)
    assert [start for start, _, _ in found] == [span.start for span in scan(record)]
    for (start, type_end, data_end), value in zip(found, some, strict=True):
        assert record[start + 18 : type_end] == value.type
        assert record[type_end + 4 : data_end] == value.data
