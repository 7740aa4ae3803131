"""Popularity by Zipf's law within sectors, and the sectors' parts of the whole."""

import random
from collections import Counter
from itertools import islice

import pytest

from load_tests import workload


def test_weights_follow_zipf_within_a_sector_and_the_shares_between_them() -> None:
    sectors = ["a", "a", "b", "a", "b"]
    weights = workload.weights(sectors, 1.0, {"a": 3, "b": 1})
    of_a, of_b = weights[0] + weights[1] + weights[3], weights[2] + weights[4]
    assert (of_a, of_b) == (pytest.approx(3), pytest.approx(1))
    assert weights[0] / weights[1] == pytest.approx(2)
    assert weights[0] / weights[3] == pytest.approx(3)


def test_without_shares_sectors_are_alike_and_with_exponent_0_identifiers() -> None:
    assert workload.weights(["a", "b", "b"], 0, {}) == pytest.approx([1, 0.5, 0.5])


def test_sectors_that_are_not_named_are_left_out() -> None:
    assert workload.weights(["a", "b"], 1, {"a": 5}) == [5.0, 0.0]


def test_items_are_drawn_as_often_as_their_weights_say_and_repeatably() -> None:
    drawn = list(islice(workload.draw("abc", [6, 3, 1], random.Random(1)), 20_000))
    counted = Counter(drawn)
    assert [counted[item] / 20_000 for item in "abc"] == pytest.approx([0.6, 0.3, 0.1], abs=0.02)
    assert drawn == list(islice(workload.draw("abc", [6, 3, 1], random.Random(1)), 20_000))


def test_a_part_is_replaced() -> None:
    mixed = workload.mixed(iter(["usual"] * 10_000), lambda: "other", 0.25, random.Random(2))
    counted = Counter(islice(mixed, 10_000))
    assert counted["other"] / 10_000 == pytest.approx(0.25, abs=0.02)
