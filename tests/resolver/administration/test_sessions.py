"""Sessions: counters, time-outs, bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import Overloaded, Replayed, SessionUnknown
from resolver.administration.sessions import MAX_TIMEOUT, MIN_TIMEOUT, WINDOW, Session, Sessions

KEY = bytes(32)


def session() -> Session:
    return Session(1, KEY, None, 60.0, "a", 0.0)


def accepts(one: Session, counter: int) -> bool:
    try:
        one.receive(counter)
    except Replayed:
        return False
    return True


def test_counters_count_once_in_any_order():
    one = session()
    assert [accepts(one, counter) for counter in (1, 3, 2, 3, 1, 4)] == [
        True,
        True,
        True,
        False,
        False,
        True,
    ]


def test_counter_0_is_no_counter():
    assert not accepts(session(), 0)


def test_a_jump_forgets_what_is_too_far_behind():
    one = session()
    assert accepts(one, 5)
    assert accepts(one, 0xFFFF_FFFF)
    assert not accepts(one, 6)
    assert accepts(one, 0xFFFF_FFFF - WINDOW + 1)
    assert not accepts(one, 0xFFFF_FFFF - WINDOW)


@given(st.lists(st.integers(0, 3 * WINDOW), max_size=200))
def test_counters_as_a_set_would_keep_them(counters: list[int]):
    one, seen = session(), set()
    for counter in counters:
        new = counter > max(seen, default=0) - WINDOW and counter not in seen and counter > 0
        assert accepts(one, counter) == new
        if new:
            seen.add(counter)


def test_replies_are_counted_from_1():
    one = session()
    assert [one.next_counter(), one.next_counter()] == [1, 2]


def open_one(sessions: Sessions, number: int, source: str = "a", now: float = 0.0) -> Session:
    return sessions.open(number, KEY, None, 60.0, source, now)


def test_use_prolongs_a_session_and_disuse_ends_it():
    sessions = Sessions()
    one = open_one(sessions, 1)
    assert sessions.find(1, 59.0) is one
    assert sessions.find(1, 118.0) is one
    with pytest.raises(SessionUnknown):
        sessions.find(1, 178.0)
    assert 1 not in sessions


def test_time_outs_are_kept_within_bounds():
    sessions = Sessions()
    assert sessions.open(1, KEY, None, 0, "a", 0.0).timeout == MIN_TIMEOUT
    assert sessions.open(2, KEY, None, 0xFFFF_FFFF, "a", 0.0).timeout == MAX_TIMEOUT


def test_an_ended_session_is_unknown():
    sessions = Sessions()
    open_one(sessions, 1)
    sessions.end(1)
    with pytest.raises(SessionUnknown):
        sessions.find(1, 0.0)


def test_a_source_loses_the_one_it_used_least_recently():
    sessions = Sessions(per_source=2)
    open_one(sessions, 1)
    open_one(sessions, 2)
    sessions.find(1, 1.0)
    open_one(sessions, 3)
    assert (1 in sessions, 2 in sessions, 3 in sessions) == (True, False, True)


def test_a_full_house_makes_room_for_nobody_but_of_what_is_over():
    sessions = Sessions(total=2)
    open_one(sessions, 1, "a")
    open_one(sessions, 2, "b", now=30.0)
    with pytest.raises(Overloaded):
        open_one(sessions, 3, "c", now=59.0)
    open_one(sessions, 3, "c", now=60.0)
    assert len(sessions) == 2
