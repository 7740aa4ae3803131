"""What a sector node tells the national node, and what it hears from there."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Final, Protocol

from registry.audit.log import Actor
from registry.enterprises.enrolment import Enrolment, enterprise_of
from registry.enterprises.enterprise import Enterprise
from registry.errors import StateConflict
from registry.prefixes.allocating import Allocating
from registry.prefixes.allocations import Allocation
from registry.prefixes.life import PrefixOperation, PrefixState
from registry.provisioning.commands import (
    Audited,
    CheckEnterprise,
    Code,
    Command,
    CreateEnterprise,
    CreatePrefix,
    Poll,
    Reply,
    UpdateEnterprise,
)
from registry.storage.interface import Reads

_log = logging.getLogger(__name__)

#: Who takes the steps.
IDNODE: Final = Actor("idnode", "provisioning")


class NationalSilent(Exception):  # noqa: N818 - silence is an outcome
    """The national node gave no reply that can be used; the command can be sent again."""


class NationalNode(Protocol):
    """The way to the national node."""

    async def send(self, command: Command) -> Reply:
        """The reply to a command. Raises NationalSilent."""
        ...


class Reporting:
    """Sends commands and notes what came of them. Every method but `update` raises NationalSilent;
    what it was sent for can then be done again."""

    def __init__(
        self, reads: Reads, enrolment: Enrolment, allocating: Allocating, national: NationalNode
    ) -> None:
        self._reads = reads
        self._enrolment = enrolment
        self._allocating = allocating
        self._national = national

    async def submit(self, allocation: Allocation) -> Allocation:
        """Create it at the national node, its enterprise first."""
        enterprise = await enterprise_of(self._reads, allocation.enterprise)
        number = enterprise.national or await self._make_known(enterprise)
        create = CreatePrefix(
            transaction=allocation.submission, prefix=allocation.prefix, enterprise=number
        )
        reply = await self._national.send(create)
        if reply.code in (Code.DONE, Code.PENDING):
            return await self._move(allocation, PrefixOperation.SUBMIT)
        return await self._move(allocation, PrefixOperation.FAIL, _words(reply))

    async def _make_known(self, enterprise: Enterprise) -> str:
        """The number of an enterprise at the national node, which may have it already."""
        form = enterprise.form
        check = CheckEnterprise(
            transaction=f"{enterprise.number}:check",
            certificate_type=form.certificate_type,
            certificate_code=form.certificate_code,
        )
        reply = await self._national.send(check)
        if not reply.enterprise:
            create = CreateEnterprise(transaction=_transaction(enterprise), form=form)
            reply = await self._national.send(create)
        if not reply.enterprise:
            raise NationalSilent(f"the national node refuses the enterprise: {_words(reply)}")
        await self._enrolment.reported(enterprise, reply.enterprise, IDNODE)
        return reply.enterprise

    async def update(self, enterprise: Enterprise) -> None:
        """Tell the national node of the present form."""
        update = UpdateEnterprise(
            transaction=_transaction(enterprise), number=enterprise.national, form=enterprise.form
        )
        try:
            await self._national.send(update)
        except NationalSilent as silence:
            _log.info("the change of %s is not reported yet: %s", enterprise.number, silence)
            return
        await self._enrolment.reported(enterprise, enterprise.national, IDNODE)

    async def take_in_results(self) -> None:
        """Take in all results of audits that wait at the national node, whosever they are."""
        while True:
            reply = await self._national.send(Poll(transaction="poll", operation="req"))
            if reply.queue is None or reply.audited is None:
                return
            with suppress(StateConflict):  # somebody else took it in at the same time
                await self._take_in(reply.audited)
            number = reply.queue.number
            # Taken in already, it is known when it comes again.
            await self._national.send(
                Poll(transaction=f"ack:{number}", operation="ack", message=number)
            )

    async def _take_in(self, audited: Audited) -> None:
        found = await self._reads.dossiers(Allocation, prefix=audited.prefix)
        for allocation in found:
            if allocation.submission != audited.client_transaction:
                continue
            if allocation.state is PrefixState.ACCEPTED:
                # It was cut off before it was known here that the prefix is created there.
                allocation = await self._move(allocation, PrefixOperation.SUBMIT)
            if allocation.state is PrefixState.SUBMITTED:
                passed = audited.result == 1
                operation = PrefixOperation.PASS if passed else PrefixOperation.FAIL
                await self._move(allocation, operation, audited.message)

    async def _move(
        self, allocation: Allocation, operation: PrefixOperation, reason: str = ""
    ) -> Allocation:
        return await self._allocating.move(allocation.prefix, operation, IDNODE, reason)


def _transaction(enterprise: Enterprise) -> str:
    """The same for the same form, so that a command that is repeated is known."""
    return f"{enterprise.number}:{enterprise.since}"


def _words(reply: Reply) -> str:
    return f"{reply.code} {reply.result.message}"
