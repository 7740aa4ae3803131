"""The life of an enterprise prefix, from its application to its end.

One table, states by operations; whatever moves a prefix asks it first. An application is reviewed
at the sector node, created and audited at the national node, routed by a prefix record, and active
once the node that homes it answers for it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from registry.errors import AlreadyExists, NotFound, StateConflict


class PrefixState(StrEnum):
    """Where a prefix stands, as it is stored. Only an active or transferring one resolves."""

    APPLIED = "applied"  # waits for the review of the sector node
    REJECTED = "rejected"  # by that review or by the national node
    ACCEPTED = "accepted"  # to be created at the national node
    SUBMITTED = "submitted"  # created there; its audit is awaited
    ALLOCATED = "allocated"  # passed that audit; not routed yet
    ROUTED = "routed"  # its prefix record is published; not homed yet
    ACTIVE = "active"
    TRANSFERRING = "transferring"  # active, and offered to another enterprise
    SUSPENDED = "suspended"
    REVOKED = "revoked"  # ended, and can be restored within the window


class PrefixOperation(StrEnum):
    """What can be done to a prefix."""

    APPLY = "apply"
    ACCEPT = "accept"
    REJECT = "reject"
    SUBMIT = "submit"  # it was created at the national node
    PASS = "pass"  # it passed the national audit
    FAIL = "fail"  # the national node refuses it
    ROUTE = "route"
    HOME = "home"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    RESTORE = "restore"
    OFFER = "offer"
    TAKE = "take"
    DECLINE = "decline"  # of an offer, by either side


_S = PrefixState
_O = PrefixOperation
_LIVE: Final = (_S.ACTIVE, _S.TRANSFERRING)
#: What each operation leads to, by the state it starts from (None: nobody applied for the prefix).
#: An operation that is not named for a state is refused there.
TABLE: Final[dict[PrefixOperation, dict[PrefixState | None, PrefixState]]] = {
    _O.APPLY: {None: _S.APPLIED, _S.REJECTED: _S.APPLIED},
    _O.ACCEPT: {_S.APPLIED: _S.ACCEPTED},
    _O.REJECT: {_S.APPLIED: _S.REJECTED},
    _O.SUBMIT: {_S.ACCEPTED: _S.SUBMITTED},
    _O.PASS: {_S.SUBMITTED: _S.ALLOCATED},
    _O.FAIL: {_S.ACCEPTED: _S.REJECTED, _S.SUBMITTED: _S.REJECTED},
    # A self-hosted prefix may be routed elsewhere whenever it is routed at all.
    _O.ROUTE: {_S.ALLOCATED: _S.ROUTED, **{state: state for state in (_S.ROUTED, *_LIVE)}},
    _O.HOME: {_S.ROUTED: _S.ACTIVE},
    # An offer does not outlive a suspension.
    _O.SUSPEND: dict.fromkeys(_LIVE, _S.SUSPENDED),
    _O.RESUME: {_S.SUSPENDED: _S.ACTIVE},
    _O.REVOKE: dict.fromkeys((_S.ALLOCATED, _S.ROUTED, *_LIVE, _S.SUSPENDED), _S.REVOKED),
    # It was audited once; it is routed and homed anew.
    _O.RESTORE: {_S.REVOKED: _S.ALLOCATED},
    _O.OFFER: {_S.ACTIVE: _S.TRANSFERRING},
    _O.TAKE: {_S.TRANSFERRING: _S.ACTIVE},
    _O.DECLINE: {_S.TRANSFERRING: _S.ACTIVE},
}


def step(state: PrefixState | None, operation: PrefixOperation) -> PrefixState:
    """The state that the operation leads to.

    Raises NotFound for a prefix that nobody applied for, AlreadyExists for one that is applied for
    already, StateConflict.
    """
    found = TABLE[operation].get(state)
    if found is not None:
        return found
    if state is None:
        raise NotFound
    if operation is PrefixOperation.APPLY:
        raise AlreadyExists("the prefix is taken")
    raise StateConflict(operation.value, state.value, "prefix")
