"""TXT records made by form are those made value by value, octet for octet."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.values.shape import shape_of
from registry.values.value import TTL_RELATIVE, Value, encode_record
from resolver.codecs.dns.rdata import txt
from resolver.codecs.dns.reply import TXT, records
from resolver.codecs.dns.txt_form import txt_records
from tests.support.record_strategies import U32, VALUES

#: How often a record has to be seen at most until its shape is known.
OFTEN = 32
NOW = 1_700_000_000
URL = Value(1, b"URL", b"https://example.org/1%", timestamp=NOW)
ADMIN = Value(100, b"HS_ADMIN", b"\x0f\xf3\x00\x00\x00\x01a", timestamp=NOW)


def one_by_one(record: bytes, ttl: int) -> tuple[int, bytes]:
    return records(TXT, ttl, txt(record))


def learnt(some: list[Value]) -> bytes:
    """The record of these values, its shape and form known."""
    record = encode_record(some)
    for _ in range(OFTEN):
        txt_records(record, 86_400)
    assert shape_of(record) is not None
    return record


@given(st.lists(VALUES, min_size=1, max_size=4), st.data())
def test_any_records_of_one_shape(some: list[Value], data: st.DataObject) -> None:
    some = [replace(value, ttl_type=TTL_RELATIVE, references=()) for value in some]
    record = learnt(some)
    ttl = shape_of(record).survey.ttl
    others = [
        replace(
            value,
            timestamp=data.draw(st.sampled_from([0, NOW, NOW + 1, 7]) | U32),
            data=data.draw(st.binary(min_size=len(value.data), max_size=len(value.data))),
        )
        for value in some
    ]
    for values in (some, others):
        record = encode_record(values)
        assert txt_records(record, ttl) == one_by_one(record, ttl)
        assert txt_records(record, 5) == one_by_one(record, 5)


@pytest.mark.parametrize(
    "changed",
    [
        [URL, ADMIN],
        [replace(URL, data=b"https://example.org/2%"), ADMIN],
        [replace(URL, timestamp=NOW + 5), replace(ADMIN, timestamp=NOW + 6)],
        [replace(URL, timestamp=0), replace(ADMIN, timestamp=0)],
        [replace(URL, timestamp=0), ADMIN],
        [replace(URL, timestamp=9), replace(ADMIN, timestamp=9)],
        [replace(URL, data=b"https://example.org/\x012"), ADMIN],
        [replace(URL, data=b"https://example.org/\xe712"[:22]), ADMIN],
        [URL, replace(ADMIN, data=b"is text")],
        [URL, replace(ADMIN, data=b"\x0e\xf3\x00\x00\x00\x01b")],
    ],
)
def test_what_differs_from_what_the_form_was_made_of(changed: list[Value]) -> None:
    learnt([URL, ADMIN])
    record = encode_record(changed)
    assert txt_records(record, 86_400) == one_by_one(record, 86_400)


@pytest.mark.parametrize("size", [249, 250, 251, 600])
def test_data_of_several_strings(size: int) -> None:
    record = learnt([replace(URL, data=b"x" * size)])
    assert txt_records(record, 86_400) == one_by_one(record, 86_400)
