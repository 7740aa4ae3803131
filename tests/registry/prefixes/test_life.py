"""The life of a prefix: every state with every operation, written down a second time."""

from __future__ import annotations

import pytest

from registry.errors import AlreadyExists, NotFound, Refusal, StateConflict
from registry.prefixes.life import PrefixOperation, PrefixState, step

#: By operation, what it leads to from: nothing, applied, rejected, accepted, submitted, allocated,
#: routed, active, transferring, suspended, revoked. "-": a conflict, "?": not found, "!": taken.
LIFE = {
    "apply": "applied ! applied ! ! ! ! ! ! ! !",
    "accept": "? accepted - - - - - - - - -",
    "reject": "? rejected - - - - - - - - -",
    "submit": "? - - submitted - - - - - - -",
    "pass": "? - - - allocated - - - - - -",
    "fail": "? - - rejected rejected - - - - - -",
    "route": "? - - - - routed routed active transferring - -",
    "home": "? - - - - - active - - - -",
    "suspend": "? - - - - - - suspended suspended - -",
    "resume": "? - - - - - - - - active -",
    "revoke": "? - - - - revoked revoked revoked revoked revoked -",
    "restore": "? - - - - - - - - - allocated",
    "offer": "? - - - - - - transferring - - -",
    "take": "? - - - - - - - active - -",
    "decline": "? - - - - - - - active - -",
}
REFUSALS: dict[str, type[Refusal]] = {"-": StateConflict, "?": NotFound, "!": AlreadyExists}
CELLS = [
    (operation, state, wanted)
    for operation, row in LIFE.items()
    for state, wanted in zip((None, *PrefixState), row.split(), strict=True)
]


def test_every_operation_has_a_row():
    assert set(LIFE) == {operation.value for operation in PrefixOperation}


@pytest.mark.parametrize(("operation", "state", "wanted"), CELLS)
def test_what_an_operation_leads_to(operation, state, wanted):
    if wanted in REFUSALS:
        with pytest.raises(REFUSALS[wanted]):
            step(state, PrefixOperation(operation))
    else:
        assert step(state, PrefixOperation(operation)) is PrefixState(wanted)


def test_a_conflict_names_the_state():
    with pytest.raises(StateConflict, match="the prefix is revoked: suspend is not possible"):
        step(PrefixState.REVOKED, PrefixOperation.SUSPEND)
