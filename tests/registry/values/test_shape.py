"""What all values of a record come to, also where the record looks like others before it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from registry.values.shape import Shape, ends, shape_of, survey
from registry.values.value import TTL_ABSOLUTE, TTL_RELATIVE, Value, encode_record
from tests.support.record_strategies import U32, VALUES

PLAIN = VALUES.map(lambda value: replace(value, ttl_type=TTL_RELATIVE, references=()))


def told(some: list[Value], now: int) -> tuple[int, int]:
    common, lives = 0xF, []
    for value in some:
        common &= value.permissions
        absolute = value.ttl_type == TTL_ABSOLUTE
        lives.append(max(0, value.ttl - now) if absolute else value.ttl)
    return common, min(lives, default=0)


@given(st.lists(VALUES, max_size=5), U32, st.integers(1, 40))
def test_a_survey_tells_what_the_values_have_in_common(
    some: list[Value], now: int, times: int
) -> None:
    record = encode_record(some)
    for _ in range(times):
        assert survey(record, now) == told(some, now)


@given(st.lists(PLAIN, min_size=1, max_size=5), st.data())
def test_records_that_differ_in_times_and_data_have_one_shape(
    some: list[Value], data: st.DataObject
) -> None:
    others = [
        replace(
            value,
            timestamp=data.draw(U32),
            data=data.draw(st.binary(min_size=len(value.data), max_size=len(value.data))),
        )
        for value in some
    ]
    record, shape = encode_record(others), Shape(encode_record(some))

    assert shape.fits(int.from_bytes(record, "big"))
    assert shape.survey == told(others, 0)
    found = shape.differences(record)
    assert found[::2] == tuple(value.timestamp for value in others)
    assert found[1::2] == tuple(value.data for value in others)


@given(st.lists(PLAIN, min_size=1, max_size=5), st.data())
def test_whatever_else_differs_is_another_shape(some: list[Value], data: st.DataObject) -> None:
    record = bytearray(encode_record(some))
    shape = Shape(bytes(record))
    at = data.draw(st.integers(0, len(record) - 1))
    record[at] ^= data.draw(st.integers(1, 255))

    if shape.fits(int.from_bytes(record, "big")):
        assert encode_record(
            [
                replace(value, timestamp=time, data=octets)
                for value, time, octets in zip(
                    some,
                    shape.differences(bytes(record))[::2],
                    shape.differences(bytes(record))[1::2],
                    strict=True,
                )
            ]
        ) == bytes(record)


@given(st.lists(VALUES, max_size=5))
def test_ttls_that_end_at_a_fixed_time(some: list[Value]) -> None:
    record = encode_record(some)
    for _ in range(32):
        assert ends(record) is any(value.ttl_type == TTL_ABSOLUTE for value in some)


@given(st.lists(VALUES, max_size=5))
def test_only_plain_records_have_a_shape(some: list[Value]) -> None:
    record = encode_record(some)
    for _ in range(32):
        found = shape_of(record)
    plain = all(not value.references and value.ttl_type == TTL_RELATIVE for value in some)
    assert (found is not None) is plain


def test_records_of_one_length_may_have_several_shapes() -> None:
    def record(size: int) -> bytes:
        return encode_record([Value(1, b"A", b"x" * size), Value(2, b"B", b"y" * (30 - size))])

    for _ in range(40):
        for size in range(5):
            shape_of(record(size))
    shapes = [shape_of(record(size)) for size in range(5)]
    assert None not in shapes
    assert len({*shapes}) == 5


def test_shapes_make_room_for_others() -> None:
    records = [
        encode_record([Value(1, b"A", b"x" * size), Value(2, b"B", b"y" * (40 - size))])
        for size in range(40)
    ]
    for record in records:
        for _ in range(32):
            shape_of(record)
        assert shape_of(record) is not None
