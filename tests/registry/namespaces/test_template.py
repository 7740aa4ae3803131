"""Values that templates make, and what keeps a template from making too many."""

from __future__ import annotations

import pytest

from registry.errors import DecodeError
from registry.namespaces.namespace import TemplateReference, read_namespace
from registry.namespaces.template import Computing, NotComputable, compute
from registry.values.value import Value

BASE = [
    Value(2, b"NOTE", b"base", timestamp=1_700_000_000, ttl=60),
    Value(7, b"URL", b"https://base.example/", permissions=0b1100),
]


def values(template, extension="part7", base=()):
    """(index, type, data) of what a template makes; None for "not found"."""
    (block,) = read_namespace(f"<namespace>{template}</namespace>".encode()).templates
    assert not isinstance(block, TemplateReference)
    computing = Computing(base)
    if not compute(block, computing, f"88.1/base@{extension}", "88.1/base", extension):
        return None
    return [(value.index, value.type.decode(), value.data.decode()) for value in computing.values]


def template(inside):
    return f'<template delimiter="@">{inside}</template>'


def test_values_are_made_from_handle_base_and_extension():
    made = '<value index="3" type="URL" data="https://x/${extension}?${base}&amp;${handle}"/>'
    assert values(template(made)) == [(3, "URL", "https://x/part7?88.1/base&88.1/base@part7")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\\${extension}", "${extension}"),
        ("$", "$"),
        ("${extension", "${extension"),
        ("${unknown}!", "!"),
        ("${extension[0]}", "part7"),
        ("${extension[1]}", ""),
        ("${0}$0", "part7part7"),
        ("a\\\\b", "a\\b"),
    ],
)
def test_parameters_in_text(text, expected):
    assert values(template(f'<value type="T" data="{text}"/>')) == [(1, "T", expected)]


def test_data_may_stand_inside_the_element_as_text_or_as_markup():
    made = '<value type="A"> a ${extension} </value><value type="B"><b c="${extension}"/></value>'
    assert values(template(made)) == [(1, "A", "a part7"), (2, "B", '<b c="part7" />')]


def test_a_value_without_type_or_data_makes_nothing_outside_foreach():
    assert values(template('<value type="A"/><value data="b"/>')) == []


def test_foreach_copies_what_it_does_not_replace():
    block = read_namespace(
        b'<n><template><foreach><value data="${index}:${type}:${data}"/></foreach></template></n>'
    ).templates[0]
    computing = Computing(BASE)
    assert compute(block, computing, "h", "b", "e")
    first, second = computing.values
    assert (first.index, first.data, first.ttl, first.timestamp) == (2, b"2:NOTE:base", 60, 1.7e9)
    assert (second.index, second.type, second.permissions) == (7, b"URL", 0b1100)


def test_an_index_that_is_taken_moves_on():
    made = '<value type="A" data="a"/>' * 3
    assert [index for index, _, _ in values(template(made))] == [1, 2, 3]


@pytest.mark.parametrize(
    ("test", "extension", "chosen"),
    [
        ('value="extension" test="equals" expression="part7"', "part7", "then"),
        ('value="extension" expression="part7"', "part7", "then"),
        ('value="extension" test="equals" expression="part7"', "PART7", "else"),
        ('value="extension" test="equals" expression="x" negate="true"', "part7", "then"),
        ('test="matches" expression="[a-z]+([0-9])"', "part7", "then"),
        ('test="matches" expression="[a-z]+([0-9])"', "PART7", "then"),
        ('test="matches" expression="[a-z]+"', "part7", "else"),
        ('test="matches" expression="[0-9]+" negate="true"', "part7", "then"),
        ("", "part7", "then"),
    ],
)
def test_if_and_else(test, extension, chosen):
    inside = (
        f'<if {test}><value type="T" data="then"/></if><else><value type="T" data="else"/></else>'
    )
    assert values(template(inside), extension) == [(1, "T", chosen)]


def test_groups_of_a_match_are_parameters():
    inside = (
        '<if value="extension" parameter="x" test="matches" expression="([0-9]{4})-(.*)">'
        '<value type="T" data="${x[1]}/${x[2]}/${x[3]}/${x}/${extension[1]}"/></if>'
        '<if test="matches" expression="(....)-.*"><value type="U" data="$1"/></if>'
    )
    assert values(template(inside), "2026-07") == [
        (1, "T", "2026/07//2026-07/"),
        (2, "U", "2026"),
    ]


def test_a_definition_holds_for_what_follows_it():
    inside = (
        '<def parameter="x"><if expression="a"><value type="T" data="first"/></if>'
        '<else><value type="T" data="second"/></else></def><value type="T" data="${x}"/>'
    )
    assert values(template(inside), "a") == [(1, "T", "first")]
    assert values(template(inside), "b") == [(1, "T", "second")]


def test_notfound_ends_it_wherever_it_stands():
    inside = '<value type="T" data="x"/><if test="matches" expression="[^0-9]*"><notfound/></if>'
    assert values(template(inside), "7") == [(1, "T", "x")]
    assert values(template(inside), "x") is None


def test_a_reference_names_an_index_and_an_identifier():
    found = read_namespace(b'<n><template ref="10:88.1/t" delimiter="-"/></n>')
    assert found.templates == (TemplateReference(10, "88.1/t"),)
    assert found.delimiter == "-"


@pytest.mark.parametrize(
    "inside",
    [
        '<value type="T" data="x"/>' * 257,
        "".join(
            f'<def parameter="x"><value type="T" data="{"${x}" * 9 or "y"}yyyyyyyyyy"/></def>'
            for _ in range(9)
        ),
        "<foreach>" + "<if expression='no'/>" * 300 + "</foreach>",
    ],
    ids=["values", "text", "steps"],
)
def test_a_template_that_makes_too_much_ends(inside):
    with pytest.raises(NotComputable):
        values(template(inside), base=[Value(1, b"T", b"y")] * 256)


@pytest.mark.parametrize(
    "inside",
    [
        '<if test="matches" expression="(a+)+"/>',
        '<if test="matches"/>',
        '<if test="sounds-like" expression="x"/>',
        '<value index="0" type="T" data="x"/>',
        '<value index="x" type="T" data="x"/>',
    ],
)
def test_what_a_template_cannot_mean_is_refused(inside):
    with pytest.raises(DecodeError):
        values(template(inside))
