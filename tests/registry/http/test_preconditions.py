from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from registry.http.preconditions import Wanted, if_match


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, None),
        ("*", Wanted(None)),
        ('"3"', Wanted(frozenset({3}))),
        ('"3" , "14"', Wanted(frozenset({3, 14}))),
        ('W/"3"', Wanted(frozenset())),
        ('W/"3", "4"', Wanted(frozenset({4}))),
        ('"abc"', Wanted(frozenset())),
        ('"0"', Wanted(frozenset())),
        ('"99999999999"', Wanted(frozenset())),
    ],
)
def test_tags_are_versions(header, wanted):
    assert if_match(header) == wanted


@pytest.mark.parametrize("header", ["", "3", '"3', '"3" "4"', '"3",', ","])
def test_what_is_no_list_of_tags(header):
    with pytest.raises(DecodeError):
        if_match(header)


@given(st.text())
def test_nothing_else_is_raised(header):
    with contextlib.suppress(DecodeError):
        if_match(header)
