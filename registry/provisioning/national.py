"""The national node's side: enterprises and prefixes that sector nodes create, and their audit."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from registry.audit.ledger import Ledger, Writing
from registry.audit.log import Actor, Event, Note, record_digest
from registry.errors import NotFound, StateConflict
from registry.provisioning.commands import (
    MESSAGES,
    Audited,
    CheckEnterprise,
    CheckPrefix,
    Code,
    Command,
    CreateEnterprise,
    CreatePrefix,
    Poll,
    Queue,
    Reply,
    Result,
    UpdateEnterprise,
)
from registry.provisioning.kept import (
    Answered,
    AuditState,
    Notice,
    ProvisionedEnterprise,
    ProvisionedPrefix,
)
from registry.schemes.handle import parent
from registry.storage.interface import Reads, Transaction

#: What an audit that nobody has to make says.
AUTOMATIC: Final = "passed automatically"


class National:
    """Carries out the commands of sector nodes. With `manual`, audits wait for the operator."""

    def __init__(self, ledger: Ledger, reads: Reads, *, manual: bool = False) -> None:
        self._ledger = ledger
        self._reads = reads
        self._manual = manual

    async def carry_out(self, sector: str, command: Command, actor: Actor) -> Reply:
        """The reply to a command of the sector node with this prefix.

        A command that changes something has its effect once, however often it is sent.
        """
        match command:
            case CheckEnterprise():
                return await self._check_enterprise(command)
            case CheckPrefix():
                return await self._check_prefix(sector, command)
            case Poll(operation="req"):
                return await self._first_notice(sector, command)
        request = hashlib.sha256(msgspec.json.encode(command)).digest()
        async with self._ledger.begin() as writing:
            kept = await writing.transaction.dossiers(
                Answered, sector=sector, client_transaction=command.transaction
            )
            if kept:
                return _repeated(kept[0], request, command)
            reply = await self._change(writing, sector, command, actor)
            answer = msgspec.json.encode(reply).decode()
            await writing.transaction.file(
                [Answered(sector, command.transaction, request, answer, writing.time)]
            )
        return reply

    async def decide(
        self, prefix: str, passed: bool, message: str, actor: Actor
    ) -> ProvisionedPrefix:
        """The operator ends the audit of a prefix. Raises NotFound, StateConflict."""
        async with self._ledger.begin() as writing:
            found = await writing.transaction.dossiers(ProvisionedPrefix, prefix=prefix)
            if not found:
                raise NotFound("no sector node created this prefix")
            if found[0].state is not AuditState.PENDING:
                raise StateConflict("an audit", found[0].state.value, "prefix")
            return await self._audited(writing, found[0], passed, message, actor)

    # --- commands that only ask ---

    async def _check_enterprise(self, command: CheckEnterprise) -> Reply:
        found = await _with_certificate(
            self._reads, command.certificate_type, command.certificate_code
        )
        number = found[0].number if found else ""
        return _reply(Code.DONE, command, available=not found, enterprise=number)

    async def _check_prefix(self, sector: str, command: CheckPrefix) -> Reply:
        if parent(command.prefix) != sector:
            return _reply(Code.NOT_AUTHORISED, command)
        found = await self._reads.dossiers(ProvisionedPrefix, prefix=command.prefix)
        free = not found or found[0].state is AuditState.REFUSED
        return _reply(Code.DONE, command, available=free)

    async def _first_notice(self, sector: str, command: Poll) -> Reply:
        waiting = await self._reads.dossiers(Notice, sector=sector)
        if not waiting:
            return _reply(Code.NO_MESSAGES, command)
        first = waiting[0]
        audited = Audited(
            first.client_transaction, first.enterprise, first.prefix, first.passed, first.message
        )
        queue = Queue(len(waiting), first.number)
        return _reply(Code.MESSAGE, command, audited=audited, queue=queue)

    # --- commands that change something ---

    async def _change(self, writing: Writing, sector: str, command: Command, actor: Actor) -> Reply:
        match command:
            case CreateEnterprise():
                return await self._create_enterprise(writing, sector, command, actor)
            case UpdateEnterprise():
                return await self._update_enterprise(writing, sector, command, actor)
            case CreatePrefix():
                return await self._create_prefix(writing, sector, command, actor)
        assert isinstance(command, Poll)
        return await self._acknowledge(writing, sector, command, actor)

    async def _create_enterprise(
        self, writing: Writing, sector: str, command: CreateEnterprise, actor: Actor
    ) -> Reply:
        form = command.form
        known = await _with_certificate(
            writing.transaction, form.certificate_type, form.certificate_code
        )
        if known:
            return _reply(Code.EXISTS, command, enterprise=known[0].number)
        number = f"N{writing.next_number}"
        made = ProvisionedEnterprise(
            number, sector, int(form.certificate_type), form.certificate_code, form
        )
        await _file(writing, actor, Event.ENTERPRISE_CREATED, number, made)
        return _reply(Code.DONE, command, server=number, enterprise=number)

    async def _update_enterprise(
        self, writing: Writing, sector: str, command: UpdateEnterprise, actor: Actor
    ) -> Reply:
        found = await writing.transaction.dossiers(ProvisionedEnterprise, number=command.number)
        if not found:
            return _reply(Code.DOES_NOT_EXIST, command)
        if found[0].sector != sector:
            return _reply(Code.NOT_AUTHORISED, command)
        made = found[0]._replace(form=command.form)
        await _file(writing, actor, Event.ENTERPRISE_CHANGED, command.number, made)
        return _reply(Code.DONE, command, enterprise=command.number)

    async def _create_prefix(
        self, writing: Writing, sector: str, command: CreatePrefix, actor: Actor
    ) -> Reply:
        transaction, prefix = writing.transaction, command.prefix
        if parent(prefix) != sector:
            return _reply(Code.NOT_AUTHORISED, command)
        if not await transaction.dossiers(ProvisionedEnterprise, number=command.enterprise):
            return _reply(Code.DOES_NOT_EXIST, command)
        there = await transaction.dossiers(ProvisionedPrefix, prefix=prefix)
        if there and there[0].state is not AuditState.REFUSED:
            return _reply(Code.EXISTS, command)
        made = ProvisionedPrefix(
            prefix,
            sector,
            command.enterprise,
            AuditState.PENDING,
            command.transaction,
            writing.time,
        )
        await _file(writing, actor, Event.PREFIX_CREATED, prefix, made)
        reply = _reply(Code.PENDING, command, server=f"N{writing.head.sequence}")
        if not self._manual:
            await self._audited(writing, made, True, AUTOMATIC, actor)
        return reply

    async def _acknowledge(
        self, writing: Writing, sector: str, command: Poll, actor: Actor
    ) -> Reply:
        found = await writing.transaction.dossiers(Notice, sector=sector, number=command.message)
        if not found:
            return _reply(Code.DOES_NOT_EXIST, command)
        await writing.transaction.discard(found)
        writing.note(Note(Event.NOTICE_ACKNOWLEDGED, actor, found[0].prefix))
        return _reply(Code.DONE, command)

    async def _audited(
        self,
        writing: Writing,
        prefix: ProvisionedPrefix,
        passed: bool,
        message: str,
        actor: Actor,
    ) -> ProvisionedPrefix:
        """End an audit, and have the sector node told when it polls."""
        state = AuditState.PASSED if passed else AuditState.REFUSED
        event = Event.PREFIX_PASSED if passed else Event.PREFIX_FAILED
        after = prefix._replace(state=state, since=writing.time, message=message)
        number = await _file(writing, actor, event, prefix.prefix, after)
        notice = Notice(
            prefix.sector,
            number,
            prefix.prefix,
            prefix.enterprise,
            prefix.client_transaction,
            int(passed),
            message,
            writing.time,
        )
        await writing.transaction.file([notice])
        return after


async def _with_certificate(
    source: Reads | Transaction, kind: int, code: str
) -> Sequence[ProvisionedEnterprise]:
    """The enterprise with a certificate, if it is known."""
    return await source.dossiers(
        ProvisionedEnterprise, certificate_code=code, certificate_type=int(kind)
    )


async def _file(
    writing: Writing,
    actor: Actor,
    event: Event,
    subject: str,
    dossier: ProvisionedEnterprise | ProvisionedPrefix,
) -> int:
    """Store a dossier; the number of the audit entry about it."""
    await writing.transaction.file([dossier])
    digest = record_digest(msgspec.json.encode(dossier))
    return writing.note(Note(event, actor, subject, after=digest))


def _repeated(kept: Answered, request: bytes, command: Command) -> Reply:
    """The reply that was given before, if it was to the same command."""
    if kept.request != request:
        return _reply(Code.PARAMETER, command)
    return msgspec.json.decode(kept.reply, type=Reply)


def _reply(
    code: Code,
    command: Command,
    *,
    server: str = "",
    available: bool | None = None,
    enterprise: str = "",
    audited: Audited | None = None,
    queue: Queue | None = None,
) -> Reply:
    return Reply(
        result=Result(code, MESSAGES[code]),
        client_transaction=command.transaction,
        server_transaction=server or command.transaction,
        available=available,
        enterprise=enterprise,
        audited=audited,
        queue=queue,
    )
