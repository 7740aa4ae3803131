"""Every operation in every state leads somewhere, and only where the page says."""

from __future__ import annotations

import itertools

import pytest

from registry.errors import AlreadyExists, NotFound, StateConflict
from registry.registration.lifecycle import (
    ENDED,
    RESTORE_WINDOW,
    TABLE,
    Operation,
    State,
    standing,
    step,
)


def test_the_table_is_complete():
    assert set(TABLE) == set(itertools.product([None, *State], Operation))


@pytest.mark.parametrize(("state", "operation"), TABLE)
def test_a_step_is_taken_or_refused(state, operation):
    expected = TABLE[state, operation]
    if isinstance(expected, type):
        with pytest.raises(expected):
            step(state, operation)
    else:
        assert step(state, operation) == (None if expected is ENDED else expected)


def test_what_is_not_there_can_only_begin():
    begun = {operation for operation in Operation if TABLE[None, operation] is not NotFound}
    assert begun == {Operation.RESERVE, Operation.REGISTER}


def test_a_hold_ends_by_release_or_revocation_alone():
    steps = {operation: TABLE[State.ON_HOLD, operation] for operation in Operation}
    ways = {operation for operation, found in steps.items() if isinstance(found, State)}
    assert ways == {Operation.RELEASE, Operation.REVOKE}
    assert steps[Operation.REGISTER] is AlreadyExists


def test_the_refusal_says_what_the_identifier_is():
    with pytest.raises(StateConflict, match="on hold: update"):
        step(State.ON_HOLD, Operation.UPDATE)


def test_a_revoked_identifier_counts_until_its_window_ends():
    assert standing(State.REVOKED, 100, 100 + RESTORE_WINDOW - 1) is State.REVOKED
    assert standing(State.REVOKED, 100, 100 + RESTORE_WINDOW) is None
    assert standing(State.ON_HOLD, 100, 100 + RESTORE_WINDOW) is State.ON_HOLD
