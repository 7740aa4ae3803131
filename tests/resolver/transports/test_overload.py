"""When something is done about too many datagrams, and how much a socket holds meanwhile."""

from __future__ import annotations

import pytest

from resolver.transports.datagram_socket import RECEIVE_BUFFER
from resolver.transports.fence import Fence
from resolver.transports.overload import BURSTS, PERIOD, Overload
from resolver.transports.room import HOLD, MIN_DATAGRAMS, PER_DATAGRAM, RELIEF, Room


class Batch:
    def __init__(self, hosts: list[str]) -> None:
        self._hosts = hosts

    def hosts(self) -> list[str]:
        return self._hosts


EQUALS = Batch(["192.0.2.1", "192.0.2.2"] * 32)
FLOOD = Batch(["192.0.2.1"] + ["198.51.100.1"] * 63)


class Watched:
    """A socket that answers `rate` datagrams a second, and what was done to it."""

    def __init__(self) -> None:
        self.held: list[dict[str, float]] = []
        self.sizes: list[int] = []
        self.now, self.answered, self.rate = 100.0, 0, 50_000
        fence = Fence(lambda shares: self.held.append(dict(shares)))
        self.lost = 0
        self.overload = Overload(fence, Room(self.sizes.append), lambda: self.lost)

    def come(self, batch: Batch, seconds: float, *, late: bool, losing: float = 0.0) -> None:
        """Batches come all the time; so many are lost for each one that is answered."""
        for _ in range(round(seconds / 0.01)):
            self.now += 0.01
            self.answered += self.rate // 100
            self.lost += int(losing * self.rate / 100)
            self.overload.note(batch, late, self.now, self.answered)

    def late(self, batch: Batch, seconds: float) -> None:
        self.come(batch, seconds, late=True)

    def on_time(self, seconds: float) -> None:
        self.come(EQUALS, seconds, late=False)


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_bursts_are_nobodys_fault(watched):
    for _ in range(5):
        watched.late(FLOOD, PERIOD / 2)
        watched.on_time(0.01)
    assert (watched.held, watched.sizes) == ([], [])


def test_the_socket_holds_what_is_answered_soon(watched):
    watched.late(EQUALS, 3 * PERIOD)
    assert watched.held == []
    assert watched.sizes[0] == pytest.approx(watched.rate * HOLD * PER_DATAGRAM, rel=0.15)


@pytest.mark.parametrize(
    ("rate", "octets"),
    [(0, MIN_DATAGRAMS * PER_DATAGRAM), (10_000_000, RECEIVE_BUFFER)],
)
def test_the_room_has_bounds(watched, rate, octets):
    watched.rate = rate
    watched.late(EQUALS, 3 * PERIOD)
    assert watched.sizes[0] == octets


def test_who_floods_is_held_back_and_the_others_keep_their_room(watched):
    watched.late(FLOOD, 3 * PERIOD)
    assert [*watched.held[0]] == ["198.51.100.1"]
    assert watched.sizes == []


def test_good_days_give_the_room_back(watched):
    watched.late(EQUALS, 3 * PERIOD)
    watched.sizes.clear()
    watched.on_time(6 * RELIEF)
    assert watched.sizes == sorted(watched.sizes)
    assert watched.sizes[-1] == RECEIVE_BUFFER
    assert len(watched.sizes) == 3


def test_a_socket_that_goes_on_losing_many_stays_short(watched):
    watched.late(EQUALS, 3 * PERIOD)
    watched.sizes.clear()
    watched.come(EQUALS, 3 * RELIEF, late=False, losing=2 * BURSTS)
    assert watched.sizes == []
    watched.come(EQUALS, 3 * RELIEF, late=False, losing=BURSTS / 2)
    assert len(watched.sizes) == 3


def test_a_flood_at_a_short_socket_is_held_back(watched):
    watched.late(EQUALS, 3 * PERIOD)
    watched.come(FLOOD, 2 * PERIOD, late=False, losing=10)
    assert [*watched.held[0]] == ["198.51.100.1"]
    assert watched.sizes[-1] == RECEIVE_BUFFER


def test_the_fence_opens_again(watched):
    watched.late(FLOOD, 3 * PERIOD)
    watched.on_time(10.0)
    assert watched.held[-1] == {}
