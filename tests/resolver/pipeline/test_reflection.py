"""How much a source that has proved nothing gets back."""

from __future__ import annotations

from resolver.pipeline.reflection import (
    BURST_OCTETS,
    MAX_SOURCES,
    OCTETS_A_SECOND,
    ReflectionBudget,
)

BIG = 1000


def test_three_times_the_request_is_always_allowed():
    budget = ReflectionBudget()
    assert all(budget.allows("192.0.2.1", 100, 300, 0.0) for _ in range(10_000))


def test_beyond_that_there_is_a_bucket_that_refills():
    budget = ReflectionBudget()
    allowed = sum(budget.allows("192.0.2.1", 0, BIG, 0.0) for _ in range(1000))
    assert allowed == BURST_OCTETS // 1000
    assert not budget.allows("192.0.2.1", 0, BIG, 0.0)
    assert budget.allows("192.0.2.1", 0, BIG, 1000 / OCTETS_A_SECOND + 0.1)


def test_one_source_does_not_pay_for_another():
    budget = ReflectionBudget()
    while budget.allows("192.0.2.1", 0, BIG, 0.0):
        pass
    assert budget.allows("192.0.2.2", 0, BIG, 0.0)


def test_loopback_is_exempt():
    budget = ReflectionBudget()
    assert all(budget.allows("127.0.0.1", 0, BIG, 0.0) for _ in range(1000))


def test_the_table_of_sources_is_bounded():
    budget = ReflectionBudget()
    for number in range(MAX_SOURCES + 100):
        assert budget.allows(f"192.0.{number // 256}.{number % 256}", 0, BIG, 0.0)
    assert len(budget._buckets) == MAX_SOURCES  # noqa: SLF001 - the bound is what is tested
