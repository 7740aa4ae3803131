"""Records held against templates: every rule of every kind, and which item is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import InvalidValue
from registry.templates.conformance import (
    Values,
    faults,
    may_name_a_template,
    named,
    values_of,
)
from registry.templates.template import (
    Carrier,
    Item,
    Items,
    Kind,
    Named,
    State,
    Template,
    Title,
)
from registry.values.value import Value, encode_record


def items(*defined: Item) -> Items:
    return Items(
        Template(
            "88.901", "T", 1, State.PUBLISHED, Title(), "C15", Carrier.OTHER, "", defined, 0, 0
        )
    )


def rules(defined: Items, values: Values, before: Values = {}) -> list[tuple[int, str]]:  # noqa: B006
    return [(fault.index, fault.rule) for fault in faults(defined, values, before)]


KINDS = {
    Kind.STRING: (["", "年份", "x" * 4000], ["x" * 4001]),
    Kind.NUMBER: (
        ["0", "-1.5", "+2", "1e3", "007"],
        ["", "1,5", "1.", "NaN", "inf", "0x1", "１", " 1"],
    ),
    Kind.DATE: (
        ["2026-01-31", "2024-02-29"],
        ["", "2025-02-29", "20260131", "2026-1-31", "31.1.2026"],
    ),
    Kind.FILE: (
        ["https://a.example/x.pdf", "http://a"],
        ["", "ftp://a", "https://", "javascript:x", "https://a b"],
    ),
    Kind.AUDIO: (["https://a.example/x.mp3"], ["/x.mp3"]),
    Kind.VIDEO: (["https://a.example/x.mp4"], ["//a/x"]),
    Kind.IMAGE: (["https://a.example/" + "x" * 2030], ["https://a.example/" + "x" * 2031]),
    Kind.REFERENCE: (["88.901/LOT-1", "88.901"], ["", "a\x00b/c"]),
}


@pytest.mark.parametrize("kind", Kind)
def test_what_each_kind_takes(kind: Kind) -> None:
    defined = items(Item(2000, "a", kind=kind))
    good, bad = KINDS[kind]
    assert [text for text in good if rules(defined, {2000: (b"a", text.encode())})] == []
    assert [text for text in bad if not rules(defined, {2000: (b"a", text.encode())})] == []


@given(st.sampled_from(list(Kind)), st.binary(max_size=60))
def test_whatever_is_written_there_is_one_fault_or_none(kind: Kind, data: bytes) -> None:
    assert len(rules(items(Item(2000, "a", kind=kind)), {2000: (b"a", data)})) <= 1


DEFINED = items(
    Item(2000, "name", required=True, min_length=2, max_length=4),
    Item(2001, "made", kind=Kind.DATE),
    Item(2002, "old", required=True, disabled=True),
)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({2000: (b"name", b"abcd")}, []),
        ({1: (b"URL", b"x"), 2000: (b"name", "四个字符".encode())}, []),
        ({}, [(2000, "missing")]),
        ({2000: (b"name", b"a")}, [(2000, "length")]),
        ({2000: (b"name", b"abcde")}, [(2000, "length")]),
        ({2000: (b"NAME", b"abcd")}, [(2000, "wrong-type")]),
        ({2000: (b"name", b"\xff\xfe")}, [(2000, "not-text")]),
        ({2000: (b"name", b"abc"), 2003: (b"new", b"")}, [(2003, "unknown-item")]),
        ({2000: (b"name", b"abc"), 2002: (b"old", b"x")}, [(2002, "disabled")]),
        ({2001: (b"made", b"now")}, [(2001, "date"), (2000, "missing")]),
    ],
)
def test_all_that_is_wrong_is_said(values: Values, expected: list[tuple[int, str]]) -> None:
    assert rules(DEFINED, values) == expected


def test_what_stood_under_a_disabled_item_may_stay() -> None:
    before: Values = {2000: (b"name", b"abc"), 2002: (b"old", b"x")}
    assert rules(DEFINED, before, before) == []
    changed = {**before, 2002: (b"old", b"y")}
    assert rules(DEFINED, changed, before) == [(2002, "disabled")]


def test_faults_name_the_item() -> None:
    (fault,) = faults(DEFINED, {2000: (b"name", b"a")})
    assert fault.item == "name"
    assert fault.message == "item name: 2 to 4 characters are expected, there are 1"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({1000: (b"TEMPLATE_ID", b"88.901/T")}, Named("88.901", "T", None)),
        (
            {1000: (b"TEMPLATE_ID", b"88.abc/T x"), 1001: (b"TEMPLATE_VERSION", b"12")},
            Named("88.ABC", "T x", 12),
        ),
        ({1000: (b"NOTE", b"88.901/T")}, None),
        ({2000: (b"a", b"b")}, None),
    ],
)
def test_which_template_a_record_names(values: Values, expected: Named | None) -> None:
    assert named(values) == expected


@pytest.mark.parametrize(
    "values",
    [
        {1000: (b"TEMPLATE_ID", b"T")},
        {1000: (b"TEMPLATE_ID", b"\xff/T")},
        {1000: (b"TEMPLATE_ID", b"88/T"), 1001: (b"TEMPLATE_VERSION", b"1.0")},
        {1000: (b"TEMPLATE_ID", b"88/T"), 1001: (b"TEMPLATE_VERSION", b"-1")},
    ],
)
def test_names_that_cannot_be_read(values: Values) -> None:
    with pytest.raises(InvalidValue):
        named(values)


@given(st.lists(st.integers(1, 3000), unique=True, max_size=5), st.binary(max_size=9))
def test_no_record_that_names_a_template_is_overlooked(indexes: list[int], data: bytes) -> None:
    record = encode_record([Value(index, b"TEMPLATE_ID", data) for index in indexes])
    assert may_name_a_template(record) or 1000 not in indexes
    assert set(values_of(record)) == set(indexes)
