"""What becomes of enterprise prefixes at a sector node: each move with all that follows from it.

The record of the prefix, whether the node homes it, the rights of its enterprise and the audit
entry change in one transaction, so that nobody ever sees half of a move.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from registry.accounts.account import Account
from registry.audit.ledger import Writing
from registry.audit.log import Actor, Event
from registry.enterprises.enrolment import enterprise_of
from registry.enterprises.enterprise import Enterprise, EnterpriseState
from registry.enterprises.marking import mark
from registry.errors import AlreadyExists, Gone, InvalidValue, NotFound, StateConflict
from registry.prefixes.allocations import Allocation, Hosting, check_wanted, next_free
from registry.prefixes.life import PrefixOperation, PrefixState, step
from registry.prefixes.publication import Publication, RecordOf
from registry.prefixes.records import administrator_values, new_secret
from registry.registration.changes import Create, Delete
from registry.registration.grouping import Asked
from registry.registration.lifecycle import RESTORE_WINDOW
from registry.registration.registrar import Registrar
from registry.schemes.handle import HandleRules, Key, prefix_record
from registry.storage.interface import ADMINISTRATOR, Reads, Transaction

#: Asked with an enterprise before it applies for one more prefix; raises Refusal.
CheckQuota = Callable[[Transaction, str], Awaitable[None]]

_O = PrefixOperation
EVENTS: Final = {
    _O.APPLY: Event.PREFIX_APPLIED,
    _O.ACCEPT: Event.PREFIX_ACCEPTED,
    _O.REJECT: Event.PREFIX_REJECTED,
    _O.SUBMIT: Event.PREFIX_SUBMITTED,
    _O.PASS: Event.PREFIX_PASSED,
    _O.FAIL: Event.PREFIX_FAILED,
    _O.ROUTE: Event.PREFIX_ROUTED,
    _O.HOME: Event.PREFIX_HOMED,
    _O.SUSPEND: Event.PREFIX_SUSPENDED,
    _O.RESUME: Event.PREFIX_RESUMED,
    _O.REVOKE: Event.PREFIX_REVOKED,
    _O.RESTORE: Event.PREFIX_RESTORED,
    _O.OFFER: Event.PREFIX_OFFERED,
    _O.TAKE: Event.PREFIX_TAKEN,
    _O.DECLINE: Event.PREFIX_DECLINED,
}


async def allocation_of(source: Reads | Transaction, prefix: str) -> Allocation:
    """The allocation of a (canonical) prefix. Raises NotFound."""
    found = await source.dossiers(Allocation, prefix=prefix)
    if not found:
        raise NotFound("nobody applied for this prefix")
    return found[0]


class Allocating:
    """The enterprise prefixes of the sector node with the prefix `sector`.

    Every move raises NotFound for a prefix that nobody applied for, and StateConflict.
    """

    def __init__(
        self,
        registrar: Registrar,
        sector: str,
        record_of: RecordOf,
        rules: HandleRules,
        check_quota: CheckQuota,
    ) -> None:
        self.sector = sector
        self._registrar = registrar
        self._publication = Publication(registrar, record_of)
        self._rules = rules
        self._check_quota = check_quota

    # --- the application and its review ---

    async def apply(
        self, enterprise: str, wanted: str | None, hosting: Hosting, actor: Actor
    ) -> Allocation:
        """Apply for a prefix, or for the next free one.

        Raises InvalidValue for a prefix that nobody can have, AlreadyExists, NotFound for the
        enterprise, StateConflict for one that was rejected, and what the quota raises.
        """
        prefix = None if wanted is None else check_wanted(self.sector, wanted, self._rules)
        async with self._registrar.ledger.begin() as writing:
            transaction = writing.transaction
            applicant = await enterprise_of(transaction, enterprise)
            if applicant.state is EnterpriseState.REJECTED:
                raise StateConflict("apply", applicant.state.value, "enterprise")
            await self._check_quota(transaction, enterprise)
            if prefix is None:
                prefix = next_free(self.sector, await self._taken(transaction))
            current = await self._current(transaction, prefix)
            state = step(None if current is None else current.state, _O.APPLY)
            after = Allocation(prefix, enterprise, state, hosting, writing.time)
            await mark(writing, actor, EVENTS[_O.APPLY], prefix, current, after)
        return after

    async def accept(self, prefix: str, actor: Actor) -> Allocation:
        """The review ends well: it goes to the national node next.

        Raises StateConflict too while its enterprise is not accepted.
        """
        async with self._registrar.ledger.begin() as writing:
            current = await allocation_of(writing.transaction, prefix)
            applicant = await enterprise_of(writing.transaction, current.enterprise)
            if applicant.state is not EnterpriseState.ACCEPTED:
                raise StateConflict("accept", applicant.state.value, "enterprise")
            submission = f"{prefix}:{writing.next_number}"
            return await self._moved(writing, current, _O.ACCEPT, actor, submission=submission)

    async def reject(self, prefix: str, actor: Actor, reason: str) -> Allocation:
        """The review ends with a refusal; the enterprise may apply anew."""
        return await self.move(prefix, _O.REJECT, actor, reason)

    # --- where it is served ---

    async def route(self, prefix: str, actor: Actor, site: bytes = b"") -> Allocation:
        """Publish the record of the prefix: with `site` (HS_SITE data) for a self-hosted one."""
        async with self._registrar.ledger.begin() as writing:
            current = await allocation_of(writing.transaction, prefix)
            if (current.hosting is Hosting.SELF_HOSTED) != bool(site):
                raise StateConflict("route to a node of one's own", current.hosting.value, "prefix")
            return await self._moved(writing, current, _O.ROUTE, actor, site=site)

    async def appoint(self, prefix: str, actor: Actor) -> str:
        """Give a hosted prefix a bootstrap administrator, in the place of an older one; its secret.

        The secret is not kept in the clear anywhere else.
        """
        current = await allocation_of(self._registrar.reads, prefix)
        if current.hosting is not Hosting.HOSTED:
            raise StateConflict("appoint an administrator", current.hosting.value, "prefix")
        secret = new_secret()
        values = administrator_values(prefix, secret)
        await self._registrar.submit(
            Create(Key(prefix, ADMINISTRATOR), values, overwrite=True), actor
        )
        return secret

    # --- who has it ---

    async def restore(self, prefix: str, actor: Actor) -> Allocation:
        """Bring a revoked prefix back, to be routed anew. Raises Gone once the window is over."""
        async with self._registrar.ledger.begin() as writing:
            current = await allocation_of(writing.transaction, prefix)
            revoked = current.state is PrefixState.REVOKED
            if revoked and writing.time >= current.since + RESTORE_WINDOW * 1000:
                raise Gone("the prefix was revoked too long ago to be restored")
            return await self._moved(writing, current, _O.RESTORE, actor)

    async def offer(self, prefix: str, receiver: str, actor: Actor, reason: str) -> Allocation:
        """Offer the prefix to another enterprise, which has to take it. Raises InvalidValue."""
        async with self._registrar.ledger.begin() as writing:
            current = await allocation_of(writing.transaction, prefix)
            found = await writing.transaction.dossiers(Enterprise, number=receiver)
            accepted = [each for each in found if each.state is EnterpriseState.ACCEPTED]
            if receiver == current.enterprise or not accepted:
                message = "the receiver is another enterprise that was accepted"
                raise InvalidValue(message, field="receiver")
            return await self._moved(writing, current, _O.OFFER, actor, reason, receiver=receiver)

    async def take(self, prefix: str, actor: Actor) -> Allocation:
        """Take a prefix that is offered: all rights in it move, and old secrets end.

        Raises what the quota of the receiver raises.
        """
        async with self._registrar.ledger.begin() as writing:
            current = await allocation_of(writing.transaction, prefix)
            await self._check_quota(writing.transaction, current.receiver)
            after = await self._moved(writing, current, _O.TAKE, actor, enterprise=current.receiver)
            await _take_rights(writing.transaction, current)
            administrator = Key(prefix, ADMINISTRATOR)
            if await writing.transaction.rows([administrator]):
                await self._registrar.include(writing, [Asked(Delete(administrator), actor)])
            return after

    async def move(
        self, prefix: str, operation: PrefixOperation, actor: Actor, reason: str = ""
    ) -> Allocation:
        """Make a move that needs no more than the table of `registry.prefixes.life`."""
        async with self._registrar.ledger.begin() as writing:
            current = await allocation_of(writing.transaction, prefix)
            return await self._moved(writing, current, operation, actor, reason)

    async def note_problem(self, allocation: Allocation, problem: str) -> None:
        """Let it be seen what keeps a prefix from going on, unless it has gone on meanwhile."""
        if allocation.problem == problem:
            return
        async with self._registrar.ledger.begin() as writing:
            current = await allocation_of(writing.transaction, allocation.prefix)
            if current == allocation:
                await writing.transaction.file([current._replace(problem=problem)])

    # --- what follows from a move ---

    async def _moved(
        self,
        writing: Writing,
        current: Allocation,
        operation: PrefixOperation,
        actor: Actor,
        reason: str = "",
        **changes: Any,
    ) -> Allocation:
        state = step(current.state, operation)
        # An offer and what went wrong belong to the state before.
        left = {"receiver": "", "problem": "", **changes}
        after = current._replace(state=state, since=writing.time, **left)
        await mark(writing, actor, EVENTS[operation], current.prefix, current, after, reason)
        await self._publication.follow(writing, operation, after, actor)
        return after

    async def _current(self, transaction: Transaction, prefix: str) -> Allocation | None:
        """The allocation of a prefix. Raises AlreadyExists for one that a topology gave away."""
        found = await transaction.dossiers(Allocation, prefix=prefix)
        if not found and await transaction.rows([prefix_record(prefix)]):
            raise AlreadyExists("the prefix is taken")
        return found[0] if found else None

    async def _taken(self, transaction: Transaction) -> set[str]:
        allocated = {each.prefix for each in await transaction.dossiers(Allocation)}
        return allocated | set(await self._registrar.reads.homed_prefixes())


async def _take_rights(transaction: Transaction, before: Allocation) -> None:
    """Have no account of the enterprise that had the prefix act for it any more."""
    accounts = await transaction.dossiers(Account, enterprise=before.enterprise)
    await transaction.file(
        [each._replace(prefix="") for each in accounts if each.prefix == before.prefix]
    )
