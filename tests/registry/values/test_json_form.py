from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import InvalidValue
from registry.values.admin import Admin, encode_admin
from registry.values.json_form import (
    data_to_json,
    iso_time,
    looks_like_text,
    value_from_json,
    value_to_json,
)
from registry.values.key import PublicKey, encode_public_key
from registry.values.site import Site, encode_site
from registry.values.value import TTL_ABSOLUTE, Reference, Value, decode_value, encode_value
from registry.values.vlist import encode_vlist
from tests.support.handle_vectors import case_id, cases

U32 = st.integers(0, 0xFFFF_FFFF)
text = st.text(max_size=12).map(str.encode)
types = st.one_of(
    text, st.sampled_from([b"HS_ADMIN", b"hs_site", b"HS_VLIST", b"HS_PUBKEY", b"HS_SITE.PREFIX"])
)
typed = st.one_of(
    st.binary(max_size=40),
    text,
    st.builds(Admin, text, U32).map(encode_admin),
    st.lists(st.builds(Reference, text, U32), max_size=3).map(encode_vlist),
    st.builds(Site, st.just(())).map(encode_site),
)
values = st.builds(
    Value,
    index=U32,
    type=types,
    data=typed,
    ttl_type=st.sampled_from([0, 1]),
    ttl=U32,
    timestamp=U32,
    permissions=st.integers(0, 15),
    references=st.lists(st.builds(Reference, text, U32), max_size=3).map(tuple),
)


@pytest.mark.parametrize("case", cases("handle_values"), ids=case_id)
def test_both_forms_are_those_of_peers(case):
    value = decode_value(bytes.fromhex(case["hex"]))
    fields = case["fields"]
    assert value == Value(
        fields["index"],
        bytes.fromhex(fields["type_hex"]),
        bytes.fromhex(fields["data_hex"]),
        fields["ttl_type"],
        fields["ttl"],
        fields["timestamp"],
        fields["permissions_mask"],
        tuple(Reference(one["handle"].encode(), one["index"]) for one in fields["references"]),
    )
    assert encode_value(value).hex() == case["hex"]
    assert json.dumps(value_to_json(value)) == json.dumps(case["json_api_form"])
    assert value_from_json(case["json_api_form"]) == value


@given(values)
def test_form_is_read_back(value):
    read = value_from_json(json.loads(json.dumps(value_to_json(value))))
    if value.data.startswith(b"\0") and read.data != value.data:  # an old admin record, rewritten
        assert value_to_json(read) == value_to_json(value)
    else:
        assert read == value


@given(st.binary(max_size=8), st.binary(max_size=40))
def test_any_octets_have_a_form(type_, data):
    form = value_to_json(Value(1, type_, data, references=(Reference(data, 1),)))
    json.dumps(form).encode()


@pytest.mark.parametrize(
    "type_", [b"HS_ADMIN", b"HS_VLIST", b"HS_SITE", b"HS_SITE.6", b"HS_SITE.PREFIX", b"HS_PUBKEY"]
)
def test_typed_data_that_does_not_decode_is_shown_as_any_other(type_):
    assert data_to_json(type_, b"plain") == {"format": "string", "value": "plain"}
    assert data_to_json(type_, b"\0\xff") == {"format": "base64", "value": "AP8="}


def test_typed_data_with_a_handle_that_is_not_utf8_loses_nothing():
    data = encode_admin(Admin(b"88.1/\xff", 300))
    assert data_to_json(b"HS_ADMIN", data)["format"] == "base64"
    assert data_to_json(b"HS_VLIST", encode_vlist([Reference(b"\xff", 1)]))["format"] == "base64"


def test_types_compare_case_insensitively():
    assert data_to_json(b"hs_vlist", bytes(4)) == {"format": "vlist", "value": []}
    for type_ in (b"HS_SITE.6", b"Hs_Site.Prefix", b"HS_NA_DELEGATE"):
        assert data_to_json(type_, encode_site(Site(())))["format"] == "site"


def test_diffie_hellman_keys_are_shown_as_octets():
    data = encode_public_key(PublicKey("DH", {"y": 5, "p": 23, "g": 2}))
    assert data_to_json(b"HS_PUBKEY", data)["format"] == "base64"


@pytest.mark.parametrize(
    ("data", "is_text"),
    [
        (b"", True),
        ("第二\t\r\n".encode(), True),
        (b"\x09\x0b\x0c\x13", True),
        (b"\x08", False),
        (b"\x14", False),
        (b"a\x00", False),
        (b"\x1b[0m", False),
        (b"\x7f", False),
        (b"\xc3", False),
        (b"\xed\xa0\x80", False),
        ("\x80".encode(), True),
    ],
)
def test_what_looks_like_text(data, is_text):
    assert looks_like_text(data) is is_text


def test_octets_of_a_type_that_are_not_utf8_are_shown_replaced():
    assert value_to_json(Value(1, b"A\xffB", b""))["type"] == "A\ufffdB"


def test_times_are_utc_and_unsigned():
    assert iso_time(2_208_988_800) == "2040-01-01T00:00:00Z"
    assert iso_time(0xFFFF_FFFF) == "2106-02-07T06:28:15Z"
    assert value_to_json(Value(1, b"A", b"", TTL_ABSOLUTE, 0))["ttl"] == "1970-01-01T00:00:00Z"


PLAIN = {"index": 7, "type": "URL", "data": "x"}


def test_little_is_needed():
    assert value_from_json(PLAIN) == Value(7, b"URL", b"x")
    nulls = dict.fromkeys(["permissions", "ttl", "timestamp", "references"])
    assert value_from_json(PLAIN | nulls) == Value(7, b"URL", b"x")


@pytest.mark.parametrize(
    ("digits", "permissions"),
    [("0000", 0), ("0110", 6), ("1101", 13), ("1110", 14), ("00110", 6), ("11111", 15)],
)
def test_permissions_have_four_digits_or_five(digits, permissions):
    assert value_from_json(PLAIN | {"permissions": digits}).permissions == permissions


@pytest.mark.parametrize(
    ("ttl", "expected"),
    [
        (0, (0, 0)),
        ("2030-06-07T08:09:10Z", (1, 1_907_050_150)),
        ("2030-06-07T08:09:10.999Z", (1, 1_907_050_150)),
        ("2030-06-07T16:09:10+08:00", (1, 1_907_050_150)),
        ("2030-06-07T08:09:10", (1, 1_907_050_150)),
    ],
)
def test_ttl_is_seconds_or_a_moment(ttl, expected):
    value = value_from_json(PLAIN | {"ttl": ttl})
    assert (value.ttl_type, value.ttl) == expected


@pytest.mark.parametrize(
    ("form", "octets"),
    [
        ({"format": "hex", "value": "00Ff10"}, b"\0\xff\x10"),
        ({"format": "base64", "value": "AP8Q"}, b"\0\xff\x10"),
        ({"format": "BASE64", "value": "_-8"}, b"\xff\xef"),
        ({"format": "string", "value": "产品"}, "产品".encode()),
        ({"format": "vlist", "value": []}, bytes(4)),
        ("产品", "产品".encode()),
    ],
)
def test_data_of_every_format(form, octets):
    assert value_from_json(PLAIN | {"data": form}).data == octets


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": None}, "type"),
        ({"type": "\ud800"}, "type"),
        ({"data": None}, "data"),
        ({"data": 5}, "data"),
        ({"data": "\udfff"}, "data"),
        ({"data": {}}, "data.format"),
        ({"data": {"format": "xml", "value": ""}}, "data.format"),
        ({"data": {"format": "string"}}, "data.value"),
        ({"data": {"format": "hex", "value": "0"}}, "data.value"),
        ({"data": {"format": "hex", "value": "é0"}}, "data.value"),
        ({"data": {"format": "base64", "value": "A=B="}}, "data.value"),
        ({"data": {"format": "base64", "value": "é"}}, "data.value"),
        ({"data": {"format": "admin", "value": {"handle": 1}}}, "data.value.permissions"),
        ({"data": {"format": "vlist", "value": [{}]}}, "data.value[0].handle"),
        ({"data": {"format": "site", "value": {}}}, "data.value.servers"),
        ({"data": {"format": "key", "value": {}}}, "data.value.kty"),
        ({"permissions": "111"}, "permissions"),
        ({"permissions": 1110}, "permissions"),
        ({"permissions": "1110\n"}, "permissions"),
        ({"ttl": -1}, "ttl"),
        ({"ttl": 1 << 32}, "ttl"),
        ({"ttl": "soon"}, "ttl"),
        ({"ttl": "1969-12-31T23:59:59Z"}, "ttl"),
        ({"timestamp": 5}, "timestamp"),
        ({"timestamp": "2107-01-01T00:00:00Z"}, "timestamp"),
        ({"references": {}}, "references"),
        ({"references": [{"handle": "88.1/A", "index": 1}, None]}, "references[1]"),
    ],
)
def test_refusal_names_index_and_member(changes, field):
    with pytest.raises(InvalidValue) as caught:
        value_from_json(PLAIN | changes)
    assert (caught.value.index, caught.value.field) == (7, field)
    assert field in str(caught.value)


@pytest.mark.parametrize("index", [None, "1", True, 1.0, -1, 1 << 32])
def test_an_index_is_a_number_of_32_bits(index):
    with pytest.raises(InvalidValue) as caught:
        value_from_json(PLAIN | {"index": index})
    assert (caught.value.index, caught.value.field) == (None, "index")


@pytest.mark.parametrize("form", [None, 5, "x", []])
def test_a_value_is_an_object(form):
    with pytest.raises(InvalidValue, match="object"):
        value_from_json(form)


json_trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["index", "type", "data", "format", "value", "ttl", "handle", "servers"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(json_trees, st.sampled_from(["admin", "vlist", "site", "key", "string", "base64", "hex"]))
def test_any_json_is_read_or_refused(tree, format_):
    for form in (tree, PLAIN | {"data": {"format": format_, "value": tree}}, PLAIN | {"ttl": tree}):
        try:
            value = value_from_json(form)
        except InvalidValue:
            continue
        assert decode_value(encode_value(value)) == value
