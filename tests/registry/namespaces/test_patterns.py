"""Patterns that are refused because they could run away, and the speed of those that are not."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from registry.namespaces.patterns import MAX_SUBJECT, read_pattern


@pytest.mark.parametrize(
    ("expression", "text", "groups"),
    [
        ("(.*)-([0-9]{1,3})", "a-b-12", ("a-b", "12")),
        (r"(\w+)\.(\d+)", "x.7", ("x", "7")),
        ("(?:lot-(.*))?", "lot-7", ("7",)),
        ("(red|green)[a-f-]{2}", "redab", ("red",)),
        (r"([0-9]{2}|x){3}(.*?)", "12x34z", ("34", "z")),
        ("[]x]+", "]x", ()),
        ("([一-龥]+)7", "白酒7", ("白酒",)),
    ],
)
def test_patterns_in_use(expression, text, groups):
    found = read_pattern(expression, True).match(text)
    assert found is not None
    assert found.groups() == groups


@pytest.mark.parametrize(
    "expression",
    [
        "(a*)*",
        "(a+)+$",
        "(a|aa)*",
        "(a?){,30}",
        "(a{1,3}){20}",
        "a*a*a*a*",
        "(.*)(.*)(.*)(.*)",
        r"(a)\1",
        "(?=a)",
        "(?P<n>a)",
        "(?i)a",
        "a**",
        "a*+",
        "[a",
        "(a",
        "a)",
        "*",
        "a{3,2}",
        "a{999}",
        "[a--b]",
        "x" * 257,
        "(a|b)" * 30,
        "((a?)?)?" * 10,
    ],
)
def test_refused_patterns(expression):
    with pytest.raises(DecodeError):
        read_pattern(expression, True)


@pytest.mark.parametrize("expression", ["(.*)(.*)(.*)x", "(a|b|ab|ba|aa|bb){8}x", ".*a.*a.*a"])
def test_the_worst_patterns_end_soon(expression):
    pattern = read_pattern(expression, False)
    started = perf_counter()
    pattern.match("a" * (MAX_SUBJECT - 1) + "b")
    assert perf_counter() - started < 2


def test_longer_texts_have_no_match():
    assert read_pattern(".*", False).match("a" * (MAX_SUBJECT + 1)) is None


@given(st.text(alphabet="ab()[]|*+?{}0123,.\\^$-:w", max_size=24), st.text("ab0", max_size=20))
def test_every_text_is_a_pattern_that_ends_or_is_refused(expression, text):
    try:
        pattern = read_pattern(expression, True)
    except DecodeError:
        return
    pattern.match(text)
