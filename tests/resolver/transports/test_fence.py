"""Who is held back when datagrams are late, by how much, and for how long."""

from __future__ import annotations

import pytest

from resolver.transports.fence import LEAST, MAX_HELD, MAX_SEEN, PERIOD, RELIEF, Fence

POLITE = [f"192.0.2.{number}" for number in range(9)]
FLOOD = "198.51.100.1"


class Batch:
    def __init__(self, hosts: list[str]) -> None:
        self._hosts = hosts

    def hosts(self) -> list[str]:
        return self._hosts


class Overloaded:
    """A fence that sees the same late batch again and again, and what it held back in turn."""

    def __init__(self) -> None:
        self.held: list[dict[str, float]] = []
        self.fence = Fence(lambda shares: self.held.append(dict(shares)))
        self.now = 100.0
        self.fence.on_time(self.now)

    def late(self, hosts: list[str], seconds: float) -> None:
        for _ in range(round(seconds / 0.01)):
            self.now += 0.01
            self.fence.see(Batch(hosts), self.now)

    def on_time(self, seconds: float) -> None:
        self.now += seconds
        self.fence.on_time(self.now)


@pytest.fixture
def overloaded() -> Overloaded:
    return Overloaded()


def test_a_burst_is_nobodys_fault(overloaded):
    overloaded.late([FLOOD] * 1000 + POLITE, PERIOD / 2)
    overloaded.on_time(0.01)
    overloaded.late([FLOOD] * 1000 + POLITE, PERIOD / 2)
    assert overloaded.held == []


def test_only_the_flood_is_held_back(overloaded):
    overloaded.late([FLOOD] * 900 + POLITE * 11, 2 * PERIOD)
    assert [*overloaded.held[0]] == [FLOOD]
    assert overloaded.held[0][FLOOD] == pytest.approx(1 / 8 * 999 / 900)


def test_what_is_let_in_of_a_flood_is_at_least_twice_the_usual(overloaded):
    overloaded.late([FLOOD] * 900 + POLITE[:2] * 300, 2 * PERIOD)
    assert overloaded.held[0][FLOOD] == pytest.approx(600 / 900)


def test_one_source_alone_is_not_held_back(overloaded):
    overloaded.late([FLOOD] * 900, 5 * PERIOD)
    assert overloaded.held == []


def test_equals_are_not_held_back(overloaded):
    overloaded.late([*POLITE * 50, *POLITE[:3] * 20], 5 * PERIOD)
    assert overloaded.held == []


def test_who_sends_a_hundred_times_as_much_in_a_crowd_is_not_the_trouble(overloaded):
    crowd = [f"203.0.113.{number}" for number in range(250)]
    overloaded.late([*crowd * 10, *[FLOOD] * 100], 5 * PERIOD)
    assert overloaded.held == []


def test_the_share_falls_while_the_flood_goes_on_and_never_to_nothing(overloaded):
    overloaded.late([FLOOD] * 900 + POLITE * 11, 30 * PERIOD)
    shares = [held[FLOOD] for held in overloaded.held]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == LEAST


def test_good_days_open_the_fence_step_by_step(overloaded):
    overloaded.late([FLOOD] * 900 + POLITE * 11, 1.5 * PERIOD)
    overloaded.held.clear()
    for _ in range(5):
        overloaded.on_time(RELIEF)
    assert [held.get(FLOOD, 1.0) for held in overloaded.held] == pytest.approx(
        [0.2775, 0.555, 1.0], rel=1e-6
    )
    assert overloaded.fence.shares == {}


def test_two_floods_are_both_held_back(overloaded):
    overloaded.late([FLOOD] * 450 + ["198.51.100.2"] * 450 + POLITE * 11, 2 * PERIOD)
    assert len(overloaded.held[0]) == 2


def test_the_tables_are_bounded(overloaded):
    for number in range(40):
        overloaded.late([f"198.51.100.{number}"] * 900 + POLITE * 11, 2 * PERIOD)
    assert len(overloaded.fence.shares) <= MAX_HELD
    overloaded.late([f"10.0.{n // 250}.{n % 250}" for n in range(2 * MAX_SEEN)], PERIOD)
    assert len(overloaded.fence.shares) <= MAX_HELD
