"""How long answers are kept, and that they never take more room than they may."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry import outcomes
from registry.schemes.handle import parse
from resolver.cache.answers import OVERHEAD, AnswerCache
from resolver.query import Refused, Values

KEY = parse("88.901/X")
RECORD = b"\0\0\0\0"


def test_a_record_lives_by_its_ttl_and_says_what_is_left():
    cache = AnswerCache()
    cache.put(KEY, Values(RECORD, 60), 100.0)
    assert cache.get(KEY, 100.0) == Values(RECORD, 60, authoritative=False)
    assert cache.get(KEY, 159.9) == Values(RECORD, 1, authoritative=False)
    assert cache.get(KEY, 160.0) is None


def test_no_record_lives_longer_than_a_day():
    cache = AnswerCache()
    cache.put(KEY, Values(RECORD, 4_000_000_000), 0.0)
    assert cache.get(KEY, 86_399.0) is not None
    assert cache.get(KEY, 86_400.0) is None


def test_a_record_without_life_is_not_kept_and_ends_the_older_one():
    cache = AnswerCache()
    cache.put(KEY, Values(RECORD, 60), 0.0)
    cache.put(KEY, Values(RECORD, 0), 1.0)
    assert cache.get(KEY, 1.0) is None


@pytest.mark.parametrize(
    ("outcome", "seconds"),
    [
        (outcomes.NOT_FOUND, 5),
        (outcomes.VALUES_NOT_FOUND, 5),
        (outcomes.UPSTREAM_TIMEOUT, 5),
        (outcomes.UPSTREAM_BAD, 5),
        (outcomes.RESOLUTION_LIMIT, 30),
        (outcomes.RESOLUTION_LOOP, 30),
    ],
)
def test_refusals_live_for_seconds(outcome, seconds):
    cache = AnswerCache()
    cache.put(KEY, Refused(outcome), 0.0)
    kept = cache.get(KEY, seconds - 0.5)
    assert isinstance(kept, Refused)
    assert (kept.outcome, kept.ttl) == (outcome, 1)
    assert cache.get(KEY, float(seconds)) is None


def test_a_refusal_may_ask_for_less_and_not_for_more():
    cache = AnswerCache()
    cache.put(KEY, Refused(outcomes.NOT_FOUND, ttl=2), 0.0)
    assert cache.get(KEY, 2.0) is None
    cache.put(KEY, Refused(outcomes.NOT_FOUND, ttl=1000), 0.0)
    assert cache.get(KEY, 5.0) is None


def test_what_is_not_in_the_table_is_not_kept():
    cache = AnswerCache()
    cache.put(KEY, Refused(outcomes.BUSY, ttl=60), 0.0)
    assert len(cache) == 0


def test_a_denial_ends_the_record_a_failure_does_not():
    cache = AnswerCache()
    cache.put(KEY, Values(RECORD, 60), 0.0)
    cache.put(KEY, Refused(outcomes.UPSTREAM_TIMEOUT), 1.0)
    assert isinstance(cache.get(KEY, 1.0), Values)
    cache.put(KEY, Refused(outcomes.NOT_FOUND), 2.0)
    assert isinstance(cache.get(KEY, 2.0), Refused)
    assert cache.get(KEY, 10.0) is None


def test_names_that_do_not_exist_cannot_push_out_those_that_do():
    cache = AnswerCache(negative_capacity=100 * OVERHEAD)
    cache.put(KEY, Values(RECORD, 60), 0.0)
    for number in range(1000):
        cache.put(parse(f"88.901/{number}"), Refused(outcomes.NOT_FOUND), 0.0)
    assert cache.get(KEY, 0.0) is not None
    assert len(cache) == 101
    assert cache.evictions == 900


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3000)), max_size=60))
def test_the_capacity_holds(entries):
    cache = AnswerCache(capacity=10_000)
    kept = 0
    for number, size in entries:
        cache.put(parse(f"88/{number}"), Values(bytes(size), 60), 0.0)
        kept = sum(
            OVERHEAD + len(found.record)
            for name in range(21)
            if isinstance(found := cache.get(parse(f"88/{name}"), 0.0), Values)
        )
        assert kept <= 10_000
