from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError, InvalidValue
from registry.values.json_members import read_objects
from registry.values.value import Reference
from registry.values.vlist import (
    decode_vlist,
    encode_vlist,
    references_from_json,
    references_to_json,
)
from tests.support.handle_vectors import case_id, cases

references = st.builds(Reference, st.binary(max_size=30), st.integers(0, 0xFFFF_FFFF))


@pytest.mark.parametrize("case", cases("vlists"), ids=case_id)
def test_reads_and_writes_what_peers_write(case):
    data = bytes.fromhex(case["hex"])
    found = decode_vlist(data)
    assert references_to_json(found) == case["refs"]
    assert encode_vlist(found) == data
    assert references_from_json(read_objects(case["refs"], "value")) == found


@given(st.lists(references, max_size=5).map(tuple))
def test_encoding_is_read_back(found):
    assert decode_vlist(encode_vlist(found)) == found


@given(st.binary(max_size=60))
def test_any_octets_are_read_or_refused(data):
    with contextlib.suppress(DecodeError):
        assert encode_vlist(decode_vlist(data)) == data


@pytest.mark.parametrize(
    ("data", "offset"),
    [(b"\0\0", 0), (b"\0\0\0\x02" + bytes(8), 0), (bytes(6), 4), (b"\xff" * 4, 0)],
)
def test_refusal_names_the_octet(data, offset):
    with pytest.raises(DecodeError) as caught:
        decode_vlist(data)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({}, "value"),
        ([1], "value[0]"),
        ([{"handle": "88.1/A", "index": 1}, {"index": 1}], "value[1].handle"),
        ([{"handle": "88.1/A", "index": "1"}], "value[0].index"),
        ([{"handle": "88.1/\ud800", "index": 1}], "value[0].handle"),
    ],
)
def test_json_refusal_names_the_member(form, field):
    with pytest.raises(InvalidValue) as caught:
        references_from_json(read_objects(form, "value"))
    assert caught.value.field == field
