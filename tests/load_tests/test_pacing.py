"""Schedules on a clock that stands still unless it is set."""

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from load_tests.pacing import SECOND, ClosedLoop, OpenLoop, Share, Stage, constant, poisson

RATES = st.floats(min_value=0, max_value=10_000)
STAGES = st.builds(
    Stage, st.floats(min_value=0.01, max_value=2), RATES, RATES, st.integers(0, 100)
).filter(lambda stage: stage.arrivals > 0)


def test_a_constant_rate_is_evenly_spaced_and_does_not_drift() -> None:
    due = list(constant([Stage(3, 7, 7)]))
    assert due == [round(i * SECOND / 7) for i in range(21)]


def test_a_ramp_reaches_its_rate() -> None:
    due = list(constant([Stage(10, 0, 100)]))
    by_second = [sum(i * SECOND <= at < (i + 1) * SECOND for at in due) for i in range(10)]
    assert len(due) == 500
    assert by_second == pytest.approx([5, 15, 25, 35, 45, 55, 65, 75, 85, 95], abs=1)


def test_a_ramp_down_ends_at_its_end() -> None:
    due = list(constant([Stage(10, 100, 0)]))
    assert len(due) == 500
    assert due == sorted(due)
    assert due[-1] <= 10 * SECOND


def test_a_burst_comes_at_once_at_the_beginning_of_its_stage() -> None:
    due = list(constant([Stage(1, 2, 2), Stage(1, 0, 0, burst=5), Stage(1, 2, 2)]))
    half = SECOND // 2
    assert due == [0, half, *[SECOND] * 5, 2 * SECOND, 2 * SECOND + half]


@given(st.lists(STAGES, min_size=1, max_size=4))
def test_every_stage_sends_what_it_expects_within_its_time(stages: list[Stage]) -> None:
    due = list(constant(stages))
    assert abs(len(due) - sum(stage.arrivals for stage in stages)) <= 1
    assert due == sorted(due)
    assert all(0 <= at <= sum(stage.seconds for stage in stages) * SECOND + 1 for at in due)


@given(st.lists(STAGES, min_size=1, max_size=3), st.integers(1, 5))
def test_generators_that_share_the_work_send_what_one_would(stages: list[Stage], of: int) -> None:
    shares = [due for number in range(of) for due in constant(stages, Share(number, of))]
    assert sorted(shares) == list(constant(stages))


def test_poisson_arrivals_have_the_rate_and_spread_of_many_independent_clients() -> None:
    due = list(poisson([Stage(100, 200, 200)], seed=3))
    gaps = [(after - before) / SECOND for before, after in pairwise(due)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert mean == pytest.approx(1 / 200, rel=0.05)
    assert variance == pytest.approx(mean**2, rel=0.1)


def test_poisson_arrivals_repeat_with_their_seed_and_differ_by_share() -> None:
    stages = [Stage(1, 100, 100)]
    assert list(poisson(stages, 1)) == list(poisson(stages, 1)) != list(poisson(stages, 2))
    first, second = (list(poisson(stages, 1, Share(number, 2))) for number in (0, 1))
    assert first != second
    assert len(first) + len(second) == pytest.approx(100, abs=40)


def test_an_open_loop_hands_out_what_is_due_whatever_is_under_way() -> None:
    pacer = OpenLoop(constant([Stage(1, 10, 10)]), start=1000)
    tenth = SECOND // 10
    assert pacer.due(999, 0, 64) == []
    assert pacer.wait(1000 + tenth // 2) == 0.0
    assert pacer.due(1000, 0, 64) == [1000]
    assert pacer.wait(1000 + tenth // 2) == 0.05
    # A generator that was held up sends everything, and knows when it should have.
    assert pacer.due(1000 + 5 * tenth, 10**6, 3) == [1000 + i * tenth for i in (1, 2, 3)]
    assert pacer.due(1000 + 5 * tenth, 10**6, 64) == [1000 + i * tenth for i in (4, 5)]
    pacer.due(1000 + SECOND, 0, 64)
    assert pacer.wait(1000 + SECOND) is None


def test_a_closed_loop_sends_only_where_answers_made_room() -> None:
    pacer = ClosedLoop(outstanding=3, end=100)
    assert pacer.due(5, 0, 64) == [5, 5, 5]
    assert pacer.due(6, 3, 64) == []
    assert pacer.due(7, 1, 1) == [7]
    assert pacer.due(100, 0, 64) == []
    assert pacer.wait(100) is None


def test_a_schedule_is_not_computed_ahead() -> None:
    assert len(list(islice(constant([Stage(10**9, 10**6, 10**6)]), 5))) == 5


def test_a_closed_loop_that_is_late_from_the_start_sends_its_first_requests_all_the_same() -> None:
    pacer = ClosedLoop(outstanding=3, end=100)
    assert pacer.wait(200) == 0.0
    assert pacer.due(200, under_way=0, limit=10) == [200] * 3
    assert pacer.due(200, under_way=0, limit=10) == []
    assert pacer.wait(200) is None
