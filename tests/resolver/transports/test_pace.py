"""Who is late: by what was sent, what is not taken in, and how long nothing was asked."""

from __future__ import annotations

import pytest

from resolver.transports.connections import Patience
from resolver.transports.pace import Pace

PATIENCE = Patience(rest=60.0, message=15.0, rate=1000, reading=10.0, refusal=2.0)


@pytest.fixture
def pace():
    return Pace(PATIENCE, 100.0)


def late(pace, now, *, busy=False, refused=False):
    return pace.is_late(now, busy=busy, refused=refused)


def test_who_asks_nothing_is_late_after_a_rest(pace):
    assert (late(pace, 160.0), late(pace, 160.1)) == (False, True)
    assert late(pace, 102.1, refused=True)
    pace.came(150.0, 40, whole=1, held=0)
    assert (late(pace, 210.0), late(pace, 210.1)) == (False, True)


def test_who_waits_for_an_answer_is_not_late(pace):
    assert not late(pace, 1000.0, busy=True)


def test_a_message_has_to_be_whole_in_time(pace):
    pace.came(101.0, 10, whole=0, held=10)
    assert (late(pace, 116.0), late(pace, 116.1)) == (False, True)
    pace.came(110.0, 2000, whole=0, held=2010)
    assert (late(pace, 118.0), late(pace, 118.1)) == (False, True)
    pace.came(111.0, 50_000, whole=0, held=52_010)
    assert (late(pace, 126.0), late(pace, 126.1)) == (False, True)
    pace.came(126.0, 10, whole=1, held=5)
    assert (late(pace, 141.0), late(pace, 141.1)) == (False, True)
    pace.came(141.0, 5, whole=1, held=0)
    assert not late(pace, 201.0)


def test_who_takes_nothing_in_is_late_whatever_is_under_way(pace):
    pace.stalled = 100.0
    assert (late(pace, 110.0, busy=True), late(pace, 110.1, busy=True)) == (False, True)
