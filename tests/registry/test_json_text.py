from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from registry.json_text import MAX_DEPTH, MAX_DIGITS, read_json

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(values)
def test_what_is_written_is_read(value):
    assert read_json(json.dumps(value).encode()) == value


@given(st.binary() | st.text(alphabet='[]{}",:0123.eE-+NaInfty \\u').map(str.encode))
def test_any_octets_are_read_or_refused(body):
    with suppress(DecodeError):
        read_json(body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "line 1, column 1"),
        (b"[1,]", "line 1"),
        (b'["\\ud800"]', "no character"),
        (b'{"\\udfff": 1}', "no character"),
        (b"[1] 2", "column 5"),
        (b"NaN", "NaN"),
        (b"[-Infinity]", "-Infinity"),
        (b'{"a":1,"a":1}', "twice"),
        (b'{"a":{"b":1,"b":2}}', "twice"),
        (b'{"a" :1,"a":1}', "twice"),
        (b'{"a":1,"a":"\\u0022:"}', "twice"),
        (b'{"a": "x\\":", "a" : "x\\" :"}', "twice"),
        (b"1e999", "larger"),
        (b"1" * (MAX_DIGITS + 1), "digits"),
        (b"\xff", "UTF-8"),
        (b"[" * 100_000, "deeper"),
        (b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2), "deeper"),
    ],
)
def test_what_is_refused(body, said):
    with pytest.raises(DecodeError, match=said):
        read_json(body)


members = st.lists(
    st.tuples(st.sampled_from(["a", 'b"', ":", "\n"]), st.text('":,u \n', max_size=4))
)


@given(members, st.sampled_from([",", " ,\n"]), st.sampled_from([":", " : "]), st.booleans())
def test_a_name_that_stands_twice_is_never_overlooked(pairs, comma, colon, escaped):
    written = [
        json.dumps(name) + colon + json.dumps(text).replace('\\"', "\\u0022" if escaped else '\\"')
        for name, text in pairs
    ]
    body = "{" + comma.join(written) + "}"
    names = [name for name, _ in pairs]
    if len(set(names)) == len(names):
        assert read_json(body.encode()) == dict(pairs)
    else:
        with pytest.raises(DecodeError, match="twice"):
            read_json(body.encode())


def test_the_deepest_that_is_read():
    text = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert read_json(text) is not None
