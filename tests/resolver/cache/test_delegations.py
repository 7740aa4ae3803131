"""Delegations are found by segments and end when their parents' word does."""

from __future__ import annotations

from resolver.cache.delegations import OVERHEAD, DelegationCache, Zone
from tests.support.playbook import site

NATIONAL, SECTOR = site("10.0.1.1"), site("10.0.2.1")


def filled() -> DelegationCache:
    cache = DelegationCache()
    cache.put("88", (NATIONAL,), 3600.0, 100)
    cache.put("88.901", (SECTOR,), 600.0, 100)
    return cache


def test_the_longest_match_wins():
    cache = filled()
    assert cache.closest("88.901.7", 0.0) == Zone("88.901", (SECTOR,), 600.0, cached=True)
    assert cache.closest("88.901", 0.0) == cache.closest("88.901.7", 0.0)
    assert cache.closest("88.9011", 0.0) == Zone("88", (NATIONAL,), 3600.0, cached=True)
    assert cache.closest("8", 0.0) is None
    assert cache.closest("", 0.0) is None


def test_a_delegation_that_ended_gives_way_to_the_one_above():
    cache = filled()
    assert cache.closest("88.901.7", 600.0) == Zone("88", (NATIONAL,), 3600.0, cached=True)
    assert len(cache) == 1


def test_forget_and_clear():
    cache = filled()
    cache.forget("88.901")
    assert cache.closest("88.901", 0.0) == Zone("88", (NATIONAL,), 3600.0, cached=True)
    cache.clear()
    assert len(cache) == 0


def test_the_capacity_holds():
    cache = DelegationCache(capacity=10 * (OVERHEAD + 100))
    for number in range(100):
        cache.put(f"88.{number}", (SECTOR,), 60.0, 100)
    assert len(cache) == 10
