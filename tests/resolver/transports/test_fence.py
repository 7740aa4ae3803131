"""Who is held back while there is too much, by how much, and for how long."""

from __future__ import annotations

import pytest

from resolver.transports.fence import LEAST, MAX_HELD, MAX_SEEN, MIN_SEEN, RELIEF, Fence

POLITE = [f"192.0.2.{number}" for number in range(9)]
FLOOD = "198.51.100.1"


class Batch:
    def __init__(self, hosts: list[str]) -> None:
        self._hosts = hosts

    def hosts(self) -> list[str]:
        return self._hosts


class Fenced:
    """A fence, and what it held back in turn."""

    def __init__(self) -> None:
        self.held: list[dict[str, float]] = []
        self.fence = Fence(lambda shares: self.held.append(dict(shares)))
        self.now = 100.0

    def tighten(self, hosts: list[str]) -> bool:
        self.now += 0.1
        self.fence.see(Batch(hosts))
        return self.fence.tighten(self.now)

    def ease(self) -> None:
        self.now += RELIEF
        self.fence.ease(self.now)


@pytest.fixture
def fenced() -> Fenced:
    return Fenced()


def test_only_the_flood_is_held_back(fenced):
    assert fenced.tighten([FLOOD] * 900 + POLITE * 11)
    assert fenced.held == [{FLOOD: pytest.approx(1 / 8 * 999 / 900)}]


def test_what_is_let_in_of_a_flood_is_at_least_twice_the_usual(fenced):
    assert fenced.tighten([FLOOD] * 900 + POLITE[:2] * 300)
    assert fenced.held == [{FLOOD: pytest.approx(600 / 900)}]


@pytest.mark.parametrize(
    "hosts",
    [
        pytest.param([FLOOD] * 900, id="one source alone"),
        pytest.param([*POLITE * 50, *POLITE[:3] * 20], id="equals"),
        pytest.param(
            [*[f"203.0.113.{number}" for number in range(250)] * 10, *[FLOOD] * 100],
            id="a heavy user among many",
        ),
        pytest.param(([FLOOD] * 20 + POLITE[:2])[: MIN_SEEN - 1], id="too few to judge"),
    ],
)
def test_nobody_is_held_back(fenced, hosts):
    assert not fenced.tighten(hosts)
    assert fenced.held == []


def test_what_was_forgotten_does_not_count(fenced):
    fenced.fence.see(Batch([FLOOD] * 900))
    fenced.fence.forget()
    assert not fenced.tighten(POLITE * 50)


def test_the_share_falls_while_the_flood_goes_on_and_never_to_nothing(fenced):
    for _ in range(10):
        fenced.tighten([FLOOD] * 900 + POLITE * 11)
    shares = [held[FLOOD] for held in fenced.held]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == LEAST


def test_good_days_open_the_fence_step_by_step(fenced):
    fenced.tighten([FLOOD] * 900 + POLITE * 11)
    fenced.held.clear()
    for _ in range(5):
        fenced.ease()
    assert [held.get(FLOOD, 1.0) for held in fenced.held] == pytest.approx([0.2775, 0.555, 1.0])
    assert fenced.fence.shares == {}


def test_a_moment_without_trouble_opens_nothing(fenced):
    fenced.tighten([FLOOD] * 900 + POLITE * 11)
    fenced.fence.ease(fenced.now + RELIEF / 2)
    assert len(fenced.held) == 1


def test_a_flood_that_goes_on_is_tried_more_and_more_seldom(fenced):
    waits = []
    for _ in range(4):
        fenced.tighten([FLOOD] * 900 + POLITE * 11)
        tightened, known = fenced.now, len(fenced.held)
        while len(fenced.held) == known:
            fenced.ease()
        waits.append(fenced.now - tightened)
    assert waits == [RELIEF, 2 * RELIEF, 4 * RELIEF, 8 * RELIEF]


def test_two_floods_are_both_held_back(fenced):
    fenced.tighten([FLOOD] * 450 + ["198.51.100.2"] * 450 + POLITE * 11)
    assert len(fenced.held[0]) == 2


def test_the_tables_are_bounded(fenced):
    for number in range(40):
        fenced.tighten([f"198.51.100.{number}"] * 900 + POLITE * 11)
    assert len(fenced.fence.shares) == MAX_HELD
    for _ in range(3):
        fenced.fence.see(Batch([f"10.0.{n // 250}.{n % 250}" for n in range(2 * MAX_SEEN)]))
    fenced.tighten([FLOOD] * MAX_SEEN)
    assert len(fenced.fence.shares) == MAX_HELD
