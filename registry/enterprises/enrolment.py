"""Enterprises enrol with a sector node, with their first account, and are reviewed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from registry.accounts.account import Account
from registry.accounts.office import AccountOffice
from registry.audit.ledger import Ledger, Writing
from registry.audit.log import Actor, Event
from registry.enterprises.enterprise import (
    IDENTITY,
    Enterprise,
    EnterpriseOperation,
    EnterpriseState,
    Form,
    check,
    check_free,
    step,
)
from registry.enterprises.marking import mark
from registry.errors import InvalidValue, NotFound
from registry.storage.interface import Reads, Transaction

_EVENTS: Final = {
    EnterpriseOperation.APPLY: Event.ENTERPRISE_APPLIED,
    EnterpriseOperation.CHANGE: Event.ENTERPRISE_CHANGED,
    EnterpriseOperation.ACCEPT: Event.ENTERPRISE_ACCEPTED,
    EnterpriseOperation.REJECT: Event.ENTERPRISE_REJECTED,
}


async def enterprise_of(source: Reads | Transaction, number: str) -> Enterprise:
    """The enterprise with this number. Raises NotFound."""
    found = await source.dossiers(Enterprise, number=number)
    if not found:
        raise NotFound("there is no such enterprise")
    return found[0]


class Enrolment:
    """The enterprises of one sector node."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def enrol(self, form: Form, actor: Actor, accounts: Sequence[Account] = ()) -> Enterprise:
        """A new enterprise that waits for review, with accounts for it, or none of it.

        Raises InvalidValue naming the member, AlreadyExists for the certificate or a username.
        """
        check(form)
        async with self._ledger.begin() as writing:
            # The number of its first audit entry is nobody else's.
            number = f"E{writing.next_number}"
            enterprise = await self._move(
                writing, None, number, EnterpriseOperation.APPLY, actor, form
            )
            for account in accounts:
                await AccountOffice(writing, actor).open(account._replace(enterprise=number))
        return enterprise

    async def change(self, number: str, form: Form, actor: Actor) -> Enterprise:
        """Another form: an accepted enterprise keeps its identity, any other applies anew.

        Raises NotFound, InvalidValue naming the member, AlreadyExists for the certificate.
        """
        check(form)
        async with self._ledger.begin() as writing:
            current = await enterprise_of(writing.transaction, number)
            operation = EnterpriseOperation.APPLY
            if current.state is EnterpriseState.ACCEPTED:
                operation = EnterpriseOperation.CHANGE
                _check_identity(current.form, form)
            return await self._move(writing, current, number, operation, actor, form)

    async def accept(self, number: str, actor: Actor) -> Enterprise:
        """The review ends well. Raises NotFound, StateConflict."""
        return await self._review(number, EnterpriseOperation.ACCEPT, actor)

    async def reject(self, number: str, actor: Actor, reason: str) -> Enterprise:
        """The review ends with a refusal; it may apply anew. Raises NotFound, StateConflict."""
        return await self._review(number, EnterpriseOperation.REJECT, actor, reason)

    async def reported(self, known: Enterprise, national: str, actor: Actor) -> None:
        """The national node has the enterprise, as it is `known` here, under this number."""
        async with self._ledger.begin() as writing:
            current = await enterprise_of(writing.transaction, known.number)
            same = int(current.form == known.form)
            after = current._replace(national=national, reported=same)
            event = Event.ENTERPRISE_REPORTED
            await mark(writing, actor, event, current.number, current, after)

    async def _review(
        self, number: str, operation: EnterpriseOperation, actor: Actor, reason: str = ""
    ) -> Enterprise:
        async with self._ledger.begin() as writing:
            current = await enterprise_of(writing.transaction, number)
            form = current.form
            return await self._move(writing, current, number, operation, actor, form, reason)

    async def _move(
        self,
        writing: Writing,
        current: Enterprise | None,
        number: str,
        operation: EnterpriseOperation,
        actor: Actor,
        form: Form,
        reason: str = "",
    ) -> Enterprise:
        state = step(None if current is None else current.state, operation)
        if operation is EnterpriseOperation.APPLY:
            await _need_free(writing.transaction, form, number)
        after = Enterprise(
            number,
            state,
            int(form.certificate_type),
            form.certificate_code,
            form,
            writing.time,
            "" if current is None else current.national,
        )
        await mark(writing, actor, _EVENTS[operation], number, current, after, reason)
        return after


async def _need_free(transaction: Transaction, form: Form, number: str) -> None:
    same = await transaction.dossiers(Enterprise, certificate_code=form.certificate_code)
    others = [each for each in same if each.number != number]
    check_free(form, [each for each in others if each.certificate_type == form.certificate_type])


def _check_identity(before: Form, after: Form) -> None:
    """Raise InvalidValue if a form changes what only a review may change."""
    for field in IDENTITY:
        if getattr(before, field) != getattr(after, field):
            raise InvalidValue(f"{field} of an accepted enterprise stays as it is", field=field)
