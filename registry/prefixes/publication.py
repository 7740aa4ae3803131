"""What resolution sees of an enterprise prefix: its record, and if the sector node homes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from registry.audit.ledger import Writing
from registry.audit.log import Actor
from registry.prefixes.allocations import Allocation, Hosting
from registry.prefixes.life import PrefixOperation
from registry.registration.changes import Change, Create, Move, PutValues
from registry.registration.grouping import Asked
from registry.registration.lifecycle import Operation as Step
from registry.registration.lifecycle import State, standing
from registry.registration.registrar import Registrar
from registry.schemes.handle import prefix_record
from registry.storage.interface import Row
from registry.values.value import Value

_O = PrefixOperation
#: The values of a prefix's record; the second argument is the record as it is, None for none.
RecordOf = Callable[[Allocation, "bytes | None"], "Sequence[Value]"]
#: Moves after which the record of the prefix is there, and those after which it is not.
_PUBLISHING: Final = frozenset({_O.ROUTE, _O.RESUME})
_WITHDRAWING: Final = {_O.SUSPEND: Step.HOLD, _O.REVOKE: Step.REVOKE}
#: Moves after which the node homes a hosted prefix.
_HOMING: Final = frozenset({_O.HOME, _O.RESUME})
#: How a record that was withdrawn comes back.
_BACK: Final = {State.ON_HOLD: Step.RELEASE, State.REVOKED: Step.RESTORE}


class Publication:
    """Keeps both in step with the moves of prefixes; `record_of` says what a record holds."""

    def __init__(self, registrar: Registrar, record_of: RecordOf) -> None:
        self._registrar = registrar
        self._record_of = record_of

    async def follow(
        self, writing: Writing, operation: PrefixOperation, after: Allocation, actor: Actor
    ) -> None:
        """Do what a move asks for, in its transaction."""
        if operation in _PUBLISHING:
            await self._publish(writing, after, actor)
        if operation in _WITHDRAWING:
            await self._withdraw(writing, after, _WITHDRAWING[operation], actor)
        if operation in _HOMING and after.hosting is Hosting.HOSTED:
            await writing.transaction.home([after.prefix])

    async def _publish(self, writing: Writing, allocation: Allocation, actor: Actor) -> None:
        """Have the record of the prefix say who serves it."""
        key = prefix_record(allocation.prefix)
        row = (await writing.transaction.rows([key])).get(key)
        state = _standing(row, writing)
        values = self._record_of(allocation, None if row is None else row.record)
        if state is None:
            await self._make(writing, actor, Create(key, values))
            return
        if state in _BACK:
            await self._make(writing, actor, Move(key, _BACK[state]))
        await self._make(writing, actor, PutValues(key, values))

    async def _withdraw(
        self, writing: Writing, allocation: Allocation, how: Step, actor: Actor
    ) -> None:
        """End resolution under the prefix: its record rests, and a hosted one is not homed."""
        key = prefix_record(allocation.prefix)
        row = (await writing.transaction.rows([key])).get(key)
        if _standing(row, writing) in (State.ACTIVE, State.ON_HOLD):
            await self._make(writing, actor, Move(key, how))
        if allocation.hosting is Hosting.HOSTED:
            await writing.transaction.unhome([allocation.prefix])

    async def _make(self, writing: Writing, actor: Actor, change: Change) -> None:
        await self._registrar.include(writing, [Asked(change, actor)])


def _standing(row: Row | None, writing: Writing) -> State | None:
    return None if row is None else standing(row.state, row.modified, writing.time // 1000)
