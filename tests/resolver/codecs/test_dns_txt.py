from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from registry.values.value import Value, encode_record
from resolver.codecs.dns.rdata import txt
from resolver.codecs.dns_txt import read_txt

U32 = st.integers(0, 0xFFFF_FFFF)
data = st.binary(max_size=600) | st.text(max_size=300).map(str.encode)
values = st.builds(
    Value, U32, st.binary(max_size=200), data, st.integers(0, 1), U32, U32, st.integers(0, 15)
)


def strings_of(rdata):
    found = []
    while rdata:
        found.append(rdata[1 : 1 + rdata[0]])
        rdata = rdata[1 + rdata[0] :]
    return found


@given(values)
def test_a_value_is_read_back(value):
    (rdata,) = txt(encode_record([value]))
    assert read_txt(strings_of(rdata)) == value


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"index=1", b"type=X", b"data=a"])))
def test_any_strings_are_read_or_refused(strings):
    with suppress(DecodeError):
        read_txt(strings)


@pytest.mark.parametrize(
    "strings",
    [
        [],
        [b"index=1"],
        [b"data=a"],
        [b"index=x", b"data=a"],
        [b"index=4294967296", b"data=a"],
        [b"index=1", b"soup", b"data=a"],
        [b"index=1", b"ttl=-1", b"data=a"],
        [b"index=1", b"permissions=2", b"data=a"],
        [b"index=1", b"data64=!"],
    ],
)
def test_what_is_no_value_is_refused(strings):
    with pytest.raises(DecodeError):
        read_txt(strings)
