"""Identifiers and their DNS names: exact inverses of each other, whatever the suffix."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from registry.errors import InvalidIdentifier
from registry.schemes.dns_name import (
    Place,
    PlaceKind,
    describe,
    from_labels,
    prefix_name,
    to_name,
    zone_labels,
    zone_prefix,
)
from registry.schemes.handle import DEFAULT_RULES, HandleRules, Key, parse

ZONE = (b"id", b"test")
SENSITIVE = HandleRules(case_sensitive_suffix=True)
HOST_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

PAIRS = {
    "88.901.7/BOT-000001": "bot-000001.h.7.901.88.id.test",
    "88.901.7/MES.0001": "mes--0001.h.7.901.88.id.test",
    "88.901.7/A.B-C.D": "a--b-c--d.h.7.901.88.id.test",
    "0.NA/88": "88.p.id.test",
    "0.NA/88.901.7": "7.p.901.88.id.test",
    "0.NA/0.NA": "na.p.0.id.test",
    "20.500.12357/H": "h.h.12357.500.20.id.test",
    "88.901/": "x--0.h.901.88.id.test",
    "88.901/A B": "x--84g44.h.901.88.id.test",
    "88.901/酒": "x--t62p4.h.901.88.id.test",
    "88.901/-A": "x--5l0g.h.901.88.id.test",
    "88.901/X.1": "x--b0n32.h.901.88.id.test",
    "88.901/GB.1": "x--8t12sc8.h.901.88.id.test",
    "88.H/A": "a.h.x--90.88.id.test",
    "88.NS/A": "a.h.x--9p9g.88.id.test",
    "88./A": "a.h.x--0.88.id.test",
    "0.NA/": "x--0.h.na.0.id.test",
    "0.NA/A/B": "x--84nk4.h.na.0.id.test",
    "0.NA/.": "x--5o.h.na.0.id.test",
    "0.NA/.88": "x--5os3g.h.na.0.id.test",
    "0.NA/..88": "88.p.x--0.x--0.id.test",
}


def labels_of(name: str) -> tuple[bytes, ...]:
    return tuple(name.lower().encode().split(b"."))


def found(name: str, rules: HandleRules = DEFAULT_RULES) -> Key | Place | None:
    return from_labels(labels_of(name), ZONE, rules)


@pytest.mark.parametrize(("handle", "name"), PAIRS.items())
def test_pairs(handle: str, name: str) -> None:
    assert to_name(parse(handle)) == name
    assert found(name) == parse(handle)
    assert found(name.upper()) == parse(handle)


SEGMENTS = st.sampled_from(["88", "901", "7", "0", "NA", "H", "P", "NS", "X--A", "", "é", "A-B"])
PREFIXES = st.lists(SEGMENTS | st.text(max_size=4), min_size=1, max_size=4).map(".".join)
SUFFIXES = st.text(max_size=40) | st.text("AZ09az.-Xxy/", max_size=70)


@given(PREFIXES, SUFFIXES, st.sampled_from([DEFAULT_RULES, SENSITIVE]))
@example("88.901", "x--90", DEFAULT_RULES)
@example("88.901", "Y.1", DEFAULT_RULES)
@example("88.901", "A.-B", DEFAULT_RULES)
@example("88.901", "abc", SENSITIVE)
@example("0.NA", "H", DEFAULT_RULES)
@example("88", "A" * 64, DEFAULT_RULES)
def test_every_identifier_has_its_name_or_is_refused(
    prefix: str, suffix: str, rules: HandleRules
) -> None:
    try:
        key = parse(f"{prefix}/{suffix}", rules)
    except InvalidIdentifier:
        return
    try:
        name = to_name(key)
    except InvalidIdentifier as error:
        assume(error.rule != "dns-length")
        raise
    assert len(name) <= 253
    assert all(HOST_LABEL.fullmatch(label) for label in name.split("."))
    assert found(name, rules) == key
    assert name.endswith("." + prefix_name(zone_prefix(key)))


LABELS = st.lists(
    st.sampled_from(["h", "p", "ns", "88", "x--0", "y--" + "0" * 60, "_udp", "a--b", "a---b"])
    | st.text("abgxyz059-_.é", max_size=8).map(lambda text: text.replace(".", ""))
    | st.text("0123456789abcdefghijklmnopqrstuvw", max_size=12).map("x--".__add__),
    max_size=5,
).map(lambda labels: (*(label.encode() for label in labels), *ZONE))


@given(LABELS | st.lists(st.binary(max_size=70), max_size=5).map(lambda x: (*x, *ZONE)))
def test_only_names_made_by_encoding_are_identifiers(labels: tuple[bytes, ...]) -> None:
    result = from_labels(labels, ZONE)
    assert result is not None
    if isinstance(result, Key):
        assert labels_of(to_name(result)) == labels
        assert parse(str(result)) == result


@pytest.mark.parametrize(
    ("name", "kind", "prefix"),
    [
        ("id.test", PlaceKind.APEX, ""),
        ("901.88.id.test", PlaceKind.APEX, "88.901"),
        ("h.7.901.88.id.test", PlaceKind.BETWEEN, "88.901.7"),
        ("p.88.id.test", PlaceKind.BETWEEN, "88"),
        ("p.id.test", PlaceKind.BETWEEN, ""),
        ("y--" + "0" * 60 + ".h.88.id.test", PlaceKind.BETWEEN, "88"),
        ("ns.88.id.test", PlaceKind.SERVER, "88"),
        ("ns.id.test", PlaceKind.SERVER, ""),
        ("_udp.ns.88.id.test", PlaceKind.BETWEEN, "88"),
        ("_dns._udp.ns.88.id.test", PlaceKind.SERVICE, "88"),
        ("_dns._tcp.ns.id.test", PlaceKind.SERVICE, ""),
        ("h.id.test", PlaceKind.UNKNOWN, ""),
        ("x--0.id.test", PlaceKind.UNKNOWN, ""),
        ("88.p.x--0.id.test", PlaceKind.UNKNOWN, ""),
        ("x--0.p.id.test", PlaceKind.UNKNOWN, ""),
        ("a.h.id.test", PlaceKind.UNKNOWN, ""),
        ("a.b.h.88.id.test", PlaceKind.UNKNOWN, "88"),
        ("foo.h.na.0.id.test", PlaceKind.UNKNOWN, "0.NA"),
        ("x--90.88.id.test", PlaceKind.APEX, "88.H"),
        ("x--70.88.id.test", PlaceKind.UNKNOWN, "88"),
        ("_foo.88.id.test", PlaceKind.UNKNOWN, "88"),
        ("a.p.p.88.id.test", PlaceKind.UNKNOWN, "88"),
        ("x--84g45.h.88.id.test", PlaceKind.UNKNOWN, "88"),
        ("x--c5h66.h.88.id.test", PlaceKind.UNKNOWN, "88"),
    ],
)
def test_names_that_are_no_identifiers(name: str, kind: PlaceKind, prefix: str) -> None:
    assert found(name) == Place(kind, prefix)


@pytest.mark.parametrize("name", ["test", "example.org", "a.h.88.id.example", "88.xid.test"])
def test_names_outside_the_zone(name: str) -> None:
    assert found(name) is None


def test_case_sensitive_suffixes_keep_their_case() -> None:
    names = {to_name(parse(f"88.901/{suffix}", SENSITIVE)) for suffix in ("abc", "ABC", "aBC")}
    assert len(names) == 3
    assert {str(found(name, SENSITIVE)) for name in names} == {
        "88.901/abc",
        "88.901/ABC",
        "88.901/aBC",
    }


def test_long_suffixes_take_several_labels_until_the_name_is_full() -> None:
    name = to_name(parse("88.901/" + "酒" * 40))
    assert [label[:3] for label in name.split(".")[:4]] == ["x--", "y--", "y--", "y--"]
    with pytest.raises(InvalidIdentifier) as refusal:
        to_name(parse("88.901/" + "酒" * 50))
    assert refusal.value.rule == "dns-length"


def test_a_segment_that_fits_into_no_label_is_refused() -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        to_name(parse("88." + "9" * 64 + "/A"))
    assert refusal.value.rule == "dns-length"


@pytest.mark.parametrize("zone", ["", ".", "a..b", "-a.test", "é.test", "a" * 64, "a." * 127 + "b"])
def test_zones_that_no_name_can_have(zone: str) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        zone_labels(zone)
    assert refusal.value.rule == "dns-zone"


def test_describe() -> None:
    assert describe("Bot-000001.h.7.901.88.ID.test.") == {
        "canonical": "88.901.7/BOT-000001",
        "dns_name": "bot-000001.h.7.901.88.id.test",
    }
    assert describe("88.p.example", zone="example")["canonical"] == "0.NA/88"


@given(
    st.text(max_size=300) | st.text("xyhp059.-", max_size=40).map(lambda text: text + ".id.test")
)
@example("id.test")
@example("")
def test_describe_refuses_what_is_no_name_of_an_identifier(text: str) -> None:
    with contextlib.suppress(InvalidIdentifier):
        fields = describe(text)
        assert to_name(parse(fields["canonical"])) == fields["dns_name"]
