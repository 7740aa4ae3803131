"""Places that sources share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from resolver.transports.shares import Shares


def filled(shares: Shares, source: str) -> int:
    taken = 0
    while shares.take(source):
        taken += 1
    return taken


def test_alone_a_source_gets_half_of_the_places():
    assert filled(Shares(100), "a") == 50


def test_who_comes_after_a_greedy_one_finds_places():
    shares = Shares(100)
    filled(shares, "a")
    assert filled(shares, "b") == 25
    assert shares.take("c")


def test_a_place_given_back_can_be_taken_again():
    shares = Shares(2)
    assert shares.take("a")
    assert not shares.take("a")
    shares.give_back("a")
    assert shares.taken == 0
    assert shares.take("a")


@given(st.lists(st.sampled_from("abc"), max_size=60))
def test_no_more_are_taken_than_there_are(sources):
    shares = Shares(10)
    assert sum(shares.take(source) for source in sources) == shares.taken <= 10
