"""Values as records: what one writes, `read_txt` and dnspython read."""

from __future__ import annotations

import dns.rdata
import pytest
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.ANY.URI import URI
from dns.rdtypes.IN.NAPTR import NAPTR
from hypothesis import given
from hypothesis import strategies as st

from registry.values.value import Value, encode_record
from resolver.codecs.dns import rdata
from resolver.codecs.dns.reply import TooLarge
from resolver.codecs.dns_txt import read_txt


def parsed(rtype: str, octets: bytes) -> dns.rdata.Rdata:
    return dns.rdata.from_wire("IN", rtype, octets, 0, len(octets))


def strings(value: Value) -> tuple[bytes, ...]:
    (octets,) = rdata.txt(encode_record([value]))
    found = parsed("TXT", octets)
    assert isinstance(found, TXT)
    return tuple(found.strings)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Value(1, b"URL", b"https://a.test"), ("index=1", "type=URL", "data=https://a.test")),
        (
            Value(7, b"", b"", 0, 60, 1_700_000_000, 0b1111),
            (
                "index=7",
                "type=",
                "ttl=60",
                "permissions=1111",
                "timestamp=1700000000",
                "data=",
            ),
        ),
        (Value(2, b"T", b"\x00\xff", 1, 99), ("index=2", "type=T", "expires=99", "data64=AP8=")),
        (Value(2, b"T", b"\x80"), ("index=2", "type=T", "data64=gA==")),
        (Value(2, b"T", b"a\nb"), ("index=2", "type=T", "data64=YQpi")),
        (Value(3, b"T", b"a" * 251), ("index=3", "type=T", "data=" + "a" * 250, "a")),
    ],
)
def test_txt_forms(value: Value, expected: tuple[str, ...]) -> None:
    assert strings(value) == tuple(string.encode() for string in expected)


VALUES = st.builds(
    Value,
    index=st.integers(0, 2**32 - 1),
    type=st.binary(max_size=250),
    data=st.binary(max_size=1000) | st.text(max_size=300).map(str.encode),
    ttl_type=st.integers(0, 1),
    ttl=st.integers(0, 2**32 - 1),
    timestamp=st.integers(0, 2**32 - 1),
    permissions=st.integers(0, 15),
)


@given(VALUES)
def test_txt_says_all_of_a_value(value: Value) -> None:
    assert read_txt(strings(value)) == value


def test_a_type_that_fits_into_no_string() -> None:
    with pytest.raises(TooLarge):
        list(rdata.txt(encode_record([Value(1, b"T" * 251, b"")])))


URLS = encode_record(
    [
        Value(1, b"url", b"https://a.test/!b\\c"),
        Value(2, b"URL", b""),
        Value(3, b"URL", b"x" * 249),
        Value(4, b"URLS", b"no"),
        Value(5, b"URL", b"last"),
    ]
)


def test_uri() -> None:
    found = [parsed("URI", octets) for octets in rdata.uri(URLS)]
    assert all(isinstance(one, URI) for one in found)
    assert [one.target for one in found] == [b"https://a.test/!b\\c", b"x" * 249, b"last"]


def test_naptr() -> None:
    found = [parsed("NAPTR", octets) for octets in rdata.naptr(URLS)]
    assert all(isinstance(one, NAPTR) for one in found)
    assert [(one.preference, one.regexp) for one in found] == [
        (1, rb"!^.*$!https://a.test/\!b\\c!"),
        (3, b"!^.*$!last!"),
    ]
