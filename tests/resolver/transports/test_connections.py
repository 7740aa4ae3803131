"""Who of many connections is served, who is told that there are too many, and who has to go."""

from __future__ import annotations

import resource

import pytest

from resolver.transports.connections import MIN_REST, SEARCH, Admission, Connections, Patience
from resolver.transports.descriptors import RESERVE, Open, for_connections, raise_limit

SERVED, REFUSED, CLOSED = Admission.SERVED, Admission.REFUSED, Admission.CLOSED


class Peer:
    """A connection that rests since a moment, or has a request under way."""

    def __init__(self, resting_since: float | None = None, late_at: float = 1e9) -> None:
        self.resting_since = resting_since
        self.late_at = late_at
        self.ended = False

    def is_late(self, now: float) -> bool:
        return now > self.late_at

    def end(self) -> None:
        self.ended = True


class Listener:
    def __init__(self, places: int, process: Open | None = None) -> None:
        self.now = 100.0
        self.connections = Connections(
            places, max_refused=2, clock=lambda: self.now, process=process or Open()
        )

    def admit(self, source: str, resting_since: float | None = None) -> tuple[Peer, Admission]:
        peer = Peer(resting_since)
        return peer, self.connections.admit(peer, source)


@pytest.fixture
def listener() -> Listener:
    return Listener(8)


def test_a_source_gets_as_many_as_it_leaves_for_others(listener):
    verdicts = [listener.admit("a")[1] for _ in range(7)]
    assert verdicts == [SERVED] * 4 + [REFUSED] * 2 + [CLOSED]
    assert listener.admit("b")[1] is SERVED
    assert listener.connections.turned_away == 3


def test_who_has_rested_longest_makes_room(listener):
    since = [listener.now - MIN_REST - age for age in (3, 1, 4, 2)]
    peers = [listener.admit("a", moment)[0] for moment in since]
    assert listener.admit("a")[1] is SERVED
    assert [peer.ended for peer in peers] == [False, False, True, False]
    assert listener.admit("a")[1] is SERVED
    assert [peer.ended for peer in peers] == [True, False, True, False]


def test_who_has_a_request_under_way_stays(listener):
    peers = [listener.admit("a")[0] for _ in range(4)]
    assert listener.admit("a")[1] is REFUSED
    assert not any(peer.ended for peer in peers)


def test_who_has_only_just_come_to_rest_stays(listener):
    for _ in range(4):
        listener.admit("a", listener.now - MIN_REST / 2)
    assert listener.admit("a")[1] is REFUSED
    listener.now += MIN_REST + SEARCH
    assert listener.admit("a")[1] is SERVED


def test_room_is_made_by_the_source_that_has_most(listener):
    long_ago = listener.now - 10 * MIN_REST
    greedy = [listener.admit("a", long_ago)[0] for _ in range(4)]
    polite = [listener.admit("b", long_ago - 1)[0] for _ in range(2)]
    listener.admit("c")
    assert listener.admit("b")[1] is SERVED
    assert sum(peer.ended for peer in greedy) == 1
    assert not any(peer.ended for peer in polite)


def test_who_has_worked_since_it_was_found_resting_stays(listener):
    peers = [listener.admit("a", listener.now - 2 * MIN_REST - age)[0] for age in range(4)]
    listener.admit("a")
    peers[2].resting_since = listener.now
    listener.admit("a")
    assert [peer.ended for peer in peers] == [False, True, False, True]


def test_places_are_free_again(listener):
    peers = [listener.admit("a")[0] for _ in range(6)]
    for peer in peers:
        listener.connections.forget(peer)
    assert listener.connections.open == 0
    assert [listener.admit("a")[1] for _ in range(5)] == [SERVED] * 4 + [REFUSED]


def test_a_process_without_descriptors_keeps_none_for_words():
    process = Open()
    process.count = for_connections() - 1
    listener = Listener(100, process)
    resting, verdict = listener.admit("a", listener.now - 2 * MIN_REST)
    assert verdict is SERVED
    assert listener.admit("b")[1] is SERVED
    assert resting.ended
    assert listener.admit("c")[1] is CLOSED
    assert process.count == for_connections()
    listener.connections.forget(resting)
    assert process.count == for_connections()


def test_a_process_asks_for_all_the_descriptors_it_can_have():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
    try:
        assert for_connections() == 512 - RESERVE
        raise_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 512
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_the_late_are_ended(listener):
    in_time, late = Peer(late_at=listener.now + 1), Peer(late_at=listener.now - 1)
    for peer in (in_time, late):
        listener.connections.admit(peer, "a")
    listener.connections.watch(1.0)
    assert (in_time.ended, late.ended) == (False, True)
    listener.connections.close()
    assert in_time.ended


def test_looks_are_frequent_enough_for_the_shortest_patience():
    assert Patience().look == 1.0
    assert Patience(reading=0.5).look == 0.25
