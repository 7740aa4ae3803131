"""Which node is responsible for what: homed, delegated, denied or unknown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from registry.prefixes.tree import TOP, PrefixTree, delegation_of
from registry.schemes.handle import Key
from registry.values.value import Value, decode_record, encode_record

SITE = Value(1, b"HS_SITE", b"site")
DERIVED = Value(2, b"HS_SITE.PREFIX", b"derived")
ADMIN = Value(100, b"HS_ADMIN", b"")


def tree(*homed: str, **delegated: tuple[Value, ...]) -> PrefixTree:
    made = PrefixTree(homed)
    for prefix, values in delegated.items():
        made.update(prefix.strip("p").replace("_", "."), encode_record(values))
    return made


def test_a_node_homes_its_prefixes_and_the_records_of_those_right_below():
    sector = tree("88.901", "88.901.7")
    assert sector.homes(Key("88.901", "X"))
    assert sector.homes(Key("88.901.7", "X"))
    assert not sector.homes(Key("88.90", "X"))
    assert not sector.homes(Key("88.901.8", "X"))
    assert sector.homes(Key("0.NA", "88.901.7"))
    assert sector.homes(Key("0.NA", "88.901.7.1"))
    assert not sector.homes(Key("0.NA", "88.901"))
    assert not sector.homes(Key("0.NA", "88.902.7"))


def test_the_root_homes_the_records_of_all_top_level_prefixes():
    root = tree("0.NA", TOP)
    assert root.homes(Key("0.NA", "88"))
    assert root.homes(Key("0.NA", "0.NA"))
    assert root.denies("99.1")
    assert not root.homes(Key("88", "X"))


def test_delegation_is_by_segments_and_the_nearest_wins():
    national = tree("88", p88_901=(SITE, DERIVED), p88_901_100=(SITE,))
    assert national.service_for("88.901.7").prefix == "88.901"
    assert national.service_for("88.901.100").prefix == "88.901.100"
    assert national.service_for("88.9011") is None
    assert national.denies("88.9011")
    assert not national.denies("88.901.7")
    assert not national.denies("99.1")


def test_a_homed_prefix_is_not_delegated_even_if_its_record_says_where_it_is():
    sector = tree("88.901", "88.901.7", p88_901_7=(SITE,))
    assert sector.service_for("88.901.7") is None
    assert sector.service_for("88.901.7.1") is None
    assert sector.denies("88.901.7.1")


def test_derived_services_are_looked_for_above_the_prefix_only():
    national = tree("88", p88_901=(SITE, DERIVED))
    assert national.derived_for("88.901.7").prefix == "88.901"
    assert national.derived_for("88.901") is None


def test_a_delegation_keeps_service_and_derived_values_apart():
    found = delegation_of("88.901", encode_record([SITE, DERIVED, ADMIN]))
    assert [value.index for value in decode_record(found.service)] == [1]
    assert [value.index for value in decode_record(found.derived)] == [2]
    assert delegation_of("88.901", encode_record([ADMIN])) is None


def test_a_delegation_ends_with_its_record():
    national = tree("88", p88_901=(SITE,))
    national.update("88.901", None)
    assert national.service_for("88.901.7") is None
    assert national.denies("88.901.7")


segments = st.lists(st.sampled_from(["8", "88", "9", "90", "901"]), min_size=1, max_size=4)


@given(st.sets(segments.map(".".join)), segments.map(".".join))
def test_responsibility_is_what_a_search_over_all_prefixes_finds(homed, prefix):
    def is_above(above: str) -> bool:
        return prefix.split(".")[: above.count(".") + 1] == above.split(".") and above != prefix

    made = PrefixTree(homed)
    assert made.homes(Key(prefix, "X")) == (prefix in homed)
    assert made.denies(prefix) == any(map(is_above, homed))
