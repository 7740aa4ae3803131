"""The life of an identifier: its states, what can be done in each, and what resolution says.

One table, states by operations; whatever changes an identifier asks it first.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Final, TypeAlias

from registry.errors import AlreadyExists, NotFound, Refusal, StateConflict

#: Seconds after its revocation for which an identifier can be restored and is nobody else's.
RESTORE_WINDOW: Final = 30 * 86_400


class State(IntEnum):
    """Where an identifier stands, as it is stored. Only an active one resolves."""

    ACTIVE = 0
    RESERVED = 1  # kept for its registration; has no values, and to others it does not exist
    ON_HOLD = 2  # taken out of resolution for a while
    REVOKED = 3  # ended, and can be restored within the window


class Operation(Enum):
    """What can be done to an identifier."""

    RESERVE = "reserve"
    REGISTER = "register"
    UPDATE = "update"
    HOLD = "hold"
    RELEASE = "release"
    REVOKE = "revoke"
    RESTORE = "restore"
    DELETE = "delete"


class _Ended(Enum):
    """The identifier is not there any more."""

    ENDED = "ended"


ENDED: Final = _Ended.ENDED
#: What an operation leads to: a state, the end, or the refusal.
Step: TypeAlias = State | _Ended | type[Refusal]

_COLUMNS: Final = (None, State.RESERVED, State.ACTIVE, State.ON_HOLD, State.REVOKED)
_NO, _TAKEN, _HERE = StateConflict, AlreadyExists, State.ACTIVE
_ROWS: Final[dict[Operation, tuple[Step, ...]]] = {
    # from:            nothing         reserved      active         on hold        revoked
    Operation.RESERVE: (State.RESERVED, _TAKEN, _TAKEN, _TAKEN, _TAKEN),
    # Whether an active one may be replaced is for the change to say.
    Operation.REGISTER: (_HERE, _HERE, _HERE, _TAKEN, _TAKEN),
    Operation.UPDATE: (NotFound, NotFound, _HERE, _NO, _NO),
    Operation.HOLD: (NotFound, _NO, State.ON_HOLD, _NO, _NO),
    Operation.RELEASE: (NotFound, _NO, _NO, _HERE, _NO),
    Operation.REVOKE: (NotFound, _NO, State.REVOKED, State.REVOKED, _NO),
    Operation.RESTORE: (NotFound, _NO, _NO, _NO, _HERE),
    # A hold is not got rid of by deleting and registering anew.
    Operation.DELETE: (NotFound, ENDED, ENDED, _NO, ENDED),
}
TABLE: Final[dict[tuple[State | None, Operation], Step]] = {
    (state, operation): step
    for operation, steps in _ROWS.items()
    for state, step in zip(_COLUMNS, steps, strict=True)
}


def standing(state: int, modified: int, now: int) -> State | None:
    """The state that counts at Unix time `now`; None once a revoked identifier is past restoring.

    `modified` is when it came into its state.
    """
    if state == State.REVOKED and now >= modified + RESTORE_WINDOW:
        return None
    return State(state)


def step(state: State | None, operation: Operation) -> State | None:
    """The state that the operation leads to, None for the end. Raises Refusal."""
    found = TABLE[state, operation]
    if isinstance(found, State):
        return found
    if isinstance(found, _Ended):
        return None
    if found is StateConflict:
        assert state is not None
        raise StateConflict(operation.value, state.name.lower().replace("_", " "))
    raise found()
