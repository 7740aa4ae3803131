"""Lines as rows: the short way gives what the way of a single registration gives."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.bulk.rows import RefusedRow, Row, RowReader
from registry.errors import NotPermitted
from registry.registration.changes import Create, decide
from registry.schemes.handle import DEFAULT_RULES, Key, parse
from registry.values.json_form import value_from_json

NOW = 1_700_000_000
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)
VALUE = st.fixed_dictionaries(
    {
        "index": st.integers(1, 40),
        "type": st.sampled_from(["URL", "EMAIL", "品名", "HS_X"]),
        "data": st.one_of(
            TEXT,
            st.builds(lambda text: {"format": "string", "value": text}, TEXT),
            st.just({"format": "base64", "value": "AAH/"}),
        ),
    },
    optional={"ttl": st.integers(0, 2**32 - 1), "permissions": st.just("1100")},
)


def reader() -> RowReader:
    return RowReader(DEFAULT_RULES, check, NOW)


def check(key: Key) -> None:
    if key.prefix != "88.901.7":
        raise NotPermitted("not yours")


def line(**members: Any) -> bytes:
    return json.dumps(members, ensure_ascii=False).encode()


def plain(identifier: str = "88.901.7/A") -> bytes:
    return line(identifier=identifier, values=[{"index": 1, "type": "URL", "data": "x"}])


@given(
    suffix=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30),
    values=st.lists(VALUE, min_size=1, max_size=4, unique_by=lambda value: value["index"]),
)
def test_both_ways_give_the_same_record(suffix: str, values: list[dict[str, Any]]) -> None:
    rows, text = reader(), f"88.901.7/{suffix}"
    rows.read(plain())
    change = Create(parse(text), [value_from_json(value) for value in values])
    expected = decide(change, None, NOW)
    assert expected is not None
    found = rows.read(line(identifier=text, values=values))
    assert found == Row(*change.key, text, expected.record)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_whatever_comes_is_a_row_or_is_refused(octets: bytes) -> None:
    with pytest.raises(RefusedRow):
        reader().read(octets)


@pytest.mark.parametrize(
    ("octets", "slug"),
    [
        (b"{", "malformed"),
        (b"\xff\xfe{\x00}\x00", "malformed"),
        (b"[]", "validation"),
        (b'{"identifier":"88.901.7/A"}', "validation"),
        (line(identifier="88.901.7/A", values=[]), "validation"),
        (line(identifier=7, values=[]), "validation"),
        (line(identifier="/A", values=[{"index": 1, "type": "URL", "data": "x"}]), None),
        (plain("88.902.7/A"), "not-permitted"),
        (plain("88.901.7"), "not-permitted"),
        (plain("88.901.7/\x01"), "invalid-identifier"),
        (plain("88.901.7/" + "x" * 300), "invalid-identifier"),
        (plain()[:-1] + b',"identifier":"88.901.7/B"}', "malformed"),
        (b'{"identifier" :"88.901.7/B",' + plain()[1:], "malformed"),
        (plain()[:-1] + b',"more":1}', "validation"),
        (plain()[:-1] + b',"more" : ":"}', "validation"),
        (plain().replace(b'"x"', b'"x","data":"y"'), "malformed"),
        (plain().replace(b": 1,", b": 0,"), "validation"),
        (plain().replace(b": 1,", b": 1.5,"), "validation"),
        (plain().replace(b": 1,", b": 4294967296,"), "validation"),
        (plain().replace(b'"URL"', b'"HS_NAMESPACE"'), "validation"),
        (plain().replace(b'"x"', b'"\\ud800"'), "malformed"),
        (line(identifier="88.901.7/A", values=[{"index": 1, "type": "U", "data": "x"}] * 2), None),
        (b'{"identifier":' * 9000, "malformed"),
    ],
)
def test_a_bad_line_is_refused_the_same_first_and_later(octets: bytes, slug: str | None) -> None:
    first, later = reader(), reader()
    later.read(plain())
    for rows in (first, later):
        with pytest.raises(RefusedRow) as refused:
            rows.read(octets)
        assert slug in (None, refused.value.refusal.outcome.slug)


def test_a_new_time_is_the_timestamp_of_the_values_that_follow() -> None:
    rows = reader()
    rows.read(plain())
    before = rows.read(plain()).record
    rows.now = NOW + 1
    assert rows.read(plain()).record == before.replace(
        NOW.to_bytes(4, "big"), (NOW + 1).to_bytes(4, "big")
    )
