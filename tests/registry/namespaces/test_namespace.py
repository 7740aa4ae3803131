"""HS_NAMESPACE values as XML: what is read, what is refused, and that nothing else happens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError, InvalidValue
from registry.namespaces.markup import MAX_DEPTH, MAX_ELEMENTS, MAX_SIZE, read_markup
from registry.namespaces.namespace import Namespace, check_namespace, namespace_of, read_namespace
from registry.namespaces.template import Computing, NotComputable, compute
from registry.values.value import Value, encode_record

LAUGHS = '<?xml version="1.0"?><!DOCTYPE n [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><n>&b;</n>'


def test_what_a_namespace_says():
    found = read_namespace(
        b"<namespace><contact> a@b.example </contact><status>Inactive</status>"
        b"<statusmsg>moved</statusmsg></namespace>"
    )
    assert found == Namespace("inactive", "moved", "a@b.example")
    assert not found.active


def test_a_namespace_without_a_word_is_active():
    assert read_namespace(b"<namespace/>") == Namespace()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain",
        b"<n>",
        b"<n></m>",
        b'<?xml version="1.0" encoding="latin-1"?><n>\xe9</n>',
        LAUGHS.encode(),
        b'<!DOCTYPE n SYSTEM "file:///etc/hostname"><n/>',
        b"<n>&undefined;</n>",
        b"<n>" * (MAX_DEPTH + 1) + b"</n>" * (MAX_DEPTH + 1),
        b"<n>" + b"<m/>" * MAX_ELEMENTS + b"</n>",
        b"<n>" + b" " * MAX_SIZE + b"</n>",
        b'<n><template ref="x:88.1/t"/></n>',
        b'<n><template ref="88.1"/></n>',
        b'<n><template delimiter="' + b"-" * 33 + b'"/></n>',
    ],
)
def test_refused_data(data):
    with pytest.raises(DecodeError):
        read_namespace(data)


def test_the_value_of_the_least_index_that_can_be_read_counts():
    record = encode_record(
        [
            Value(9, b"HS_NAMESPACE", b"<n><contact>nine</contact></n>"),
            Value(3, b"hs_namespace", b"<n><contact>three</contact></n>"),
            Value(1, b"HS_NAMESPACE", b"broken"),
            Value(2, b"URL", b"<n><contact>url</contact></n>"),
        ]
    )
    assert namespace_of(record) == Namespace(contact="three")
    assert namespace_of(encode_record([])) is None


def test_a_value_that_cannot_be_read_is_not_stored():
    check_namespace(Value(1, b"URL", b"<"))
    with pytest.raises(InvalidValue) as refused:
        check_namespace(Value(7, b"HS_NAMESPACE", b"<n"))
    assert (refused.value.index, refused.value.field) == (7, "data")


@given(st.binary(max_size=300))
def test_arbitrary_octets_are_read_or_refused(data):
    try:
        read_markup(data)
        read_namespace(data)
    except DecodeError:
        pass


ATTRIBUTES = st.dictionaries(
    st.sampled_from(
        ["index", "type", "data", "value", "parameter", "test", "expression", "negate", "ref"]
    ),
    st.sampled_from(
        [
            "1",
            "T",
            "${extension}",
            "${data}${x[1]}",
            "x",
            "extension",
            "data",
            "matches",
            "equals",
            "(.*)(.)",
            "(a*)*",
            "[a-z]+",
            "true",
            "1:88.1/t",
            "\\",
            "$",
            "${",
            "$9",
        ]
    ),
    max_size=4,
)
TAGS = st.sampled_from(["value", "if", "else", "foreach", "def", "notfound", "other"])


def element(tag, attributes, inside):
    quoted = "".join(f' {name}="{text}"' for name, text in attributes.items())
    return f"<{tag}{quoted}>{''.join(inside)}</{tag}>"


TREES = st.recursive(
    st.builds(element, TAGS, ATTRIBUTES, st.just([])),
    lambda inner: st.builds(element, TAGS, ATTRIBUTES, st.lists(inner, max_size=4)),
    max_leaves=12,
)


@given(st.lists(TREES, max_size=4), st.text(max_size=40))
def test_every_template_computes_or_says_why_not(instructions, extension):
    data = f'<n><template delimiter="@">{"".join(instructions)}</template></n>'
    base = [Value(1, b"NOTE", b"a"), Value(2, b"\xff", b"\xff\x00")]
    try:
        (block,) = read_namespace(data.encode()).templates
        compute(block, Computing(base), "88.1/b@e", "88.1/b", extension)
    except (DecodeError, NotComputable):
        pass
