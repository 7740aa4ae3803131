"""Identifiers that are computed from the template of their prefix, seen through the authority."""

from __future__ import annotations

import pytest

from registry import outcomes
from registry.prefixes.tree import PrefixTree
from registry.schemes.handle import HandleRules, Key, parse
from registry.storage.interface import ACTIVE, Row
from registry.values.value import Value, decode_record, encode_record
from resolver.authority import Authority
from resolver.cache.packets import PacketCache
from resolver.computed import MAX_REFERENCES, ComputedRecords
from resolver.query import Query, Refused, Values

NOW = 1_700_000_000.0
URL = '<value type="URL" data="https://x/${extension}?${base}"/>'
NOTE = '<foreach><if value="type" expression="NOTE"><value data="${data}!"/></if></foreach>'


def namespace(inside="", delimiter=None, attributes=""):
    if delimiter is not None:
        attributes += f' delimiter="{delimiter}"'
    template = f"<template{attributes}>{inside}</template>" if inside or attributes else ""
    data = f"<namespace>{template}</namespace>".encode()
    return Value(5, b"HS_NAMESPACE", data)


class Node:
    """An authority for 88.1 over records that tests may change; it counts what it reads."""

    def __init__(self, records, homed=("88.1",), rules=None):
        self.records = {parse(name): encode_record(values) for name, values in records.items()}
        self.reads = []
        tree = PrefixTree(homed)
        rules = rules or HandleRules()
        self.rules = rules
        self.computed = ComputedRecords(tree, self, rules)
        self.authority = Authority(tree, self, self.computed)

    def record(self, prefix, suffix):
        self.reads.append(Key(prefix, suffix))
        return self.records.get(Key(prefix, suffix))

    def row(self, prefix, suffix):
        record = self.records.get(Key(prefix, suffix))
        return None if record is None else Row(prefix, suffix, record, ACTIVE, 1, 0)

    def answer(self, asked, **selection):
        query = Query(asked.encode(), parse(asked, self.rules), **selection)
        return self.authority.answer(query, NOW)

    def values(self, asked, **selection):
        answer = self.answer(asked, **selection)
        if isinstance(answer, Refused):
            return answer.outcome
        assert isinstance(answer, Values)
        return [(value.index, value.data.decode()) for value in decode_record(answer.record)]

    def change(self, name, *values):
        key = parse(name)
        self.records[key] = encode_record(values)
        return self.computed.follow([key], False)


@pytest.fixture
def node():
    return Node(
        {
            "88.1/": [namespace(URL + NOTE, "@")],
            "88.1/base": [Value(2, b"NOTE", b"note"), Value(3, b"NOTE", b"s", permissions=0b1100)],
            "88.1/base@own": [Value(1, b"URL", b"registered")],
        }
    )


def test_values_are_computed_from_the_base_as_it_was_asked_for(node):
    expected = [(1, "https://x/Part7?88.1/Base"), (2, "note!")]
    assert node.values("88.1/Base@Part7") == expected
    assert node.values("88.1/base@a@b")[0] == (1, "https://x/a@b?88.1/base")
    assert node.values("88.1/base@")[0] == (1, "https://x/?88.1/base")


def test_a_base_that_is_not_registered_has_computed_identifiers_too(node):
    assert node.values("88.1/none@7") == [(1, "https://x/7?88.1/none")]


def test_what_is_registered_comes_before_what_could_be_computed(node):
    assert node.values("88.1/BASE@OWN") == [(1, "registered")]


def test_identifiers_without_the_delimiter_are_not_computed(node):
    assert node.values("88.1/none") is outcomes.NOT_FOUND


def test_selection_and_permissions_hold_for_computed_values(node):
    assert node.values("88.1/base@7", types=(b"NOTE",)) == [(2, "note!")]
    assert node.values("88.1/base@7", types=(b"EMAIL",)) is outcomes.VALUES_NOT_FOUND
    assert node.values("88.1/base@7", public_only=False) is outcomes.AUTHENTICATION_NEEDED


def test_the_prefix_record_counts_where_this_node_keeps_it():
    records = {"0.NA/88.1": [namespace(URL, "@")]}
    assert Node(records, ["88.1"]).values("88.1/b@7") is outcomes.NOT_FOUND
    assert Node(records, ["88", "88.1"]).values("88.1/b@7") == [(1, "https://x/7?88.1/b")]
    records["88.1/"] = [namespace('<value type="T" data="nearer"/>')]
    assert Node(records, ["88", "88.1"]).values("88.1/b@7") == [(1, "nearer")]


def test_the_template_of_the_base_comes_before_that_of_the_prefix(node):
    node.change("88.1/own", namespace('<value type="T" data="own ${extension}"/>'))
    assert node.values("88.1/own@7") == [(1, "own 7")]


def test_a_template_may_make_no_values(node):
    node.change("88.1/", namespace(attributes=' delimiter="-"'))
    assert node.values("88.1/b-7") is outcomes.VALUES_NOT_FOUND


def test_the_delimiter_compares_as_identifiers_do():
    records = {"88.1/": [namespace(URL, "-sn-")]}
    assert Node(records).values("88.1/b-SN-7") == [(1, "https://x/7?88.1/b")]
    strict = Node(records, rules=HandleRules(case_sensitive_suffix=True))
    assert strict.values("88.1/b-SN-7") is outcomes.NOT_FOUND


def test_a_slash_as_delimiter_makes_the_whole_prefix_virtual():
    node = Node({"88.1/": [namespace(URL, "/")]})
    assert node.values("88.1/any/thing") == [(1, "https://x/any/thing?88.1")]


def test_a_template_elsewhere_is_read_from_a_public_value_of_this_node(node):
    node.change("88.1/", namespace(attributes=' delimiter="@" ref="10:88.1/templates"'))
    assert node.values("88.1/b@7") is outcomes.NOT_FOUND
    shared = Value(10, b"TEMPLATE", f"<template>{URL}</template>".encode())
    assert node.change("88.1/templates", shared), "all that was computed from it must go"
    assert node.values("88.1/b@7") == [(1, "https://x/7?88.1/b")]
    hidden = Value(10, b"TEMPLATE", shared.data, permissions=0b1100)
    node.change("88.1/templates", hidden)
    assert node.values("88.1/b@7") is outcomes.NOT_FOUND


def test_references_in_a_circle_end(node):
    circle = namespace(attributes=' delimiter="@" ref="5:88.1/"')
    node.change("88.1/", circle)
    node.reads.clear()
    assert node.values("88.1/b@7") is outcomes.NOT_FOUND
    assert len(node.reads) <= MAX_REFERENCES + 5


def test_a_template_that_makes_too_much_is_not_the_same_as_nothing(node):
    node.change("88.1/", namespace('<value type="T" data="x"/>' * 300, "@"))
    answer = node.answer("88.1/b@7")
    assert isinstance(answer, Refused)
    assert answer.outcome is outcomes.INTERNAL
    assert "too many values" in answer.detail


def test_a_prefix_without_namespace_costs_no_read_beyond_the_first_time():
    node = Node({})
    assert node.values("88.1/x") is outcomes.NOT_FOUND
    node.reads.clear()
    assert node.values("88.1/y") is outcomes.NOT_FOUND
    assert node.reads == [Key("88.1", "Y")]


def test_a_changed_namespace_counts_at_once(node):
    assert node.values("88.1/b@7") == [(1, "https://x/7?88.1/b")]
    assert node.change("88.1/", namespace('<value type="T" data="new"/>', "@"))
    assert node.values("88.1/b@7") == [(1, "new")]


def test_packets_about_computed_identifiers_go_with_their_base(node):
    packets = PacketCache(subject=node.computed.subject)
    names = ["base@7", "base@8", "base", "other@7", "other"]
    for name in names:
        packets.put(name.encode(), b"x", "ok", parse(f"88.1/{name}"), 1.0)

    def kept():
        return [name for name in names if packets.get(name.encode(), 0.0)]

    packets.drop([parse("88.1/BASE")])
    assert kept() == ["other@7", "other"]
    packets.drop([parse("88.1/other@9")])
    assert kept() == []


@pytest.mark.parametrize("name", ["88.1/x", "88.2/x@7", "0.NA/88.1"])
def test_other_identifiers_are_their_own_subject(node, name):
    assert node.computed.subject(parse(name)) == parse(name)


@pytest.mark.parametrize(
    ("name", "homed_changed", "wide"),
    [
        ("88.1/x", False, False),
        ("88.1/x", True, True),
        ("88.1/", False, True),
        ("0.NA/88.1", False, True),
    ],
)
def test_what_a_change_may_bear_on(node, name, homed_changed, wide):
    assert node.computed.follow([parse(name)], homed_changed) is wide
