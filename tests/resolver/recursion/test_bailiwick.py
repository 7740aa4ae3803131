"""Prefixes compare by segments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.schemes.handle import parse
from resolver.recursion.bailiwick import covers, home, leads_back, may_refer, next_below

segments = st.lists(st.sampled_from(["8", "88", "9", "901"]), max_size=4)
prefixes = segments.map(".".join)


@pytest.mark.parametrize(
    ("identifier", "where"),
    [
        ("88.901.7/X", "88.901.7"),
        ("0.NA/88.901.7", "88.901"),
        ("0.na/88.901", "88"),
        ("88.901", "88"),
        ("0.NA/88", ""),
        ("0.NA/0.NA", ""),
        ("0.TYPE/URL", "0.TYPE"),
    ],
)
def test_home(identifier, where):
    assert home(parse(identifier)) == where


@given(prefixes, prefixes)
def test_covers_is_a_comparison_of_segments(zone, prefix):
    above, below = (text.split(".") if text else [] for text in (zone, prefix))
    assert covers(zone, prefix) == (below[: len(above)] == above)


@given(prefixes, prefixes, prefixes)
def test_a_referral_leads_down_or_is_refused(zone, target, subject):
    if may_refer(zone, target, subject):
        assert len(target.split(".") if target else ()) > len(zone.split(".") if zone else ())
        assert not leads_back(zone, target)
        assert covers(target, subject)


@pytest.mark.parametrize(
    ("zone", "subject", "step"),
    [
        ("", "88.901.7", "88"),
        ("88", "88.901.7", "88.901"),
        ("88.901", "88.901", None),
        ("88.901", "88.902", None),
        ("", "", None),
    ],
)
def test_next_below(zone, subject, step):
    assert next_below(zone, subject) == step
