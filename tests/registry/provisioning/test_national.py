"""The national node's side: EPP result codes, its queue, and each command's one effect."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import pytest_asyncio

from registry.audit.log import Actor
from registry.clock import ManualClock
from registry.enterprises.enterprise import CertificateType
from registry.errors import NotFound, StateConflict
from registry.provisioning.commands import (
    CheckEnterprise,
    CheckPrefix,
    Code,
    Command,
    CreateEnterprise,
    CreatePrefix,
    Poll,
    Reply,
    UpdateEnterprise,
)
from registry.provisioning.kept import AuditState
from registry.provisioning.national import National
from tests.support.enterprises import form
from tests.support.prefixes import OPERATOR, national_on

SECTOR, OTHER, PREFIX = "88.901", "88.902", "88.901.55"
ACTOR = Actor(SECTOR, "http 127.0.0.1")


@pytest_asyncio.fixture(params=[False, True], ids=["automatic", "manual"])
async def national(new_store_url, request):
    async with national_on(new_store_url(), ManualClock(), manual=request.param) as national:
        national.manual = request.param
        yield national


async def send(national: National, command: Command, sector: str = SECTOR) -> Reply:
    return await national.carry_out(sector, command, ACTOR)


async def known(national: National) -> str:
    """The number of an enterprise that is known."""
    created = await send(national, CreateEnterprise(transaction="make", form=form()))
    assert created.code == Code.DONE
    return created.enterprise


async def created(national: National, transaction: str = "create") -> Reply:
    number = await known(national)
    command = CreatePrefix(transaction=transaction, prefix=PREFIX, enterprise=number)
    return await send(national, command)


def check_form(transaction: str = "check") -> CheckEnterprise:
    return CheckEnterprise(
        transaction=transaction,
        certificate_type=CertificateType.USCC,
        certificate_code=form().certificate_code,
    )


def poll(number: int = 0) -> Poll:
    operation: Any = "ack" if number else "req"
    return Poll(transaction=f"poll-{number}", operation=operation, message=number)


async def test_an_enterprise_is_known_once_it_is_created(national):
    before = await send(national, check_form())
    assert (before.code, before.available, before.enterprise) == (Code.DONE, True, "")
    number = await known(national)
    after = await send(national, check_form())
    assert (after.available, after.enterprise) == (False, number)
    again = await send(national, CreateEnterprise(transaction="make-2", form=form()))
    assert (again.code, again.enterprise) == (Code.EXISTS, number)


async def test_an_enterprise_is_changed_by_who_made_it(national):
    number = await known(national)
    changed = msgspec.structs.replace(form(), website="https://moved.example/")
    update = UpdateEnterprise(transaction="change", number=number, form=changed)
    assert (await send(national, update, OTHER)).code == Code.NOT_AUTHORISED
    assert (await send(national, update)).code == Code.DONE
    unknown = UpdateEnterprise(transaction="change-2", number="N999", form=changed)
    assert (await send(national, unknown)).code == Code.DOES_NOT_EXIST


async def test_a_prefix_is_audited(national):
    reply = await created(national)
    assert reply.code == Code.PENDING
    if national.manual:
        assert (await send(national, poll())).code == Code.NO_MESSAGES
        await national.decide(PREFIX, True, "in order", OPERATOR)
    message = await send(national, poll())
    assert (message.code, message.queue.count) == (Code.MESSAGE, 1)
    assert (message.audited.prefix, message.audited.result) == (PREFIX, 1)
    assert message.audited.client_transaction == "create"
    assert (await send(national, poll(message.queue.number))).code == Code.DONE
    assert (await send(national, poll())).code == Code.NO_MESSAGES


async def test_messages_are_the_sectors_own(national):
    await created(national)
    if national.manual:
        await national.decide(PREFIX, False, "no", OPERATOR)
    assert (await send(national, poll(), OTHER)).code == Code.NO_MESSAGES
    number = (await send(national, poll())).queue.number
    assert (await send(national, poll(number), OTHER)).code == Code.DOES_NOT_EXIST


@pytest.mark.parametrize("prefix", ["88.902.5", "88.901", "88.901.5.6", "88"])
async def test_a_prefix_lies_one_segment_under_the_sectors(national, prefix):
    number = await known(national)
    create = CreatePrefix(transaction="create", prefix=prefix, enterprise=number)
    assert (await send(national, create)).code == Code.NOT_AUTHORISED
    check = CheckPrefix(transaction="check", prefix=prefix)
    assert (await send(national, check)).code == Code.NOT_AUTHORISED


async def test_a_prefix_is_created_once(national):
    check = CheckPrefix(transaction="check", prefix=PREFIX)
    assert (await send(national, check)).available is True
    first = await created(national)
    assert (await send(national, check)).available is False
    repeated = await created(national)
    assert repeated == first, "the same command has its one effect, and the same reply"
    other = await created(national, "create-2")
    assert other.code == Code.EXISTS


async def test_a_transaction_stands_for_one_command(national):
    await created(national)
    create = CreatePrefix(transaction="create", prefix="88.901.56", enterprise="N1")
    assert (await send(national, create)).code == Code.PARAMETER


async def test_an_unknown_enterprise_has_no_prefixes(national):
    create = CreatePrefix(transaction="create", prefix=PREFIX, enterprise="N9")
    assert (await send(national, create)).code == Code.DOES_NOT_EXIST


async def test_an_audit_ends_once(national):
    await created(national)
    if national.manual:
        decided = await national.decide(PREFIX, True, "in order", OPERATOR)
        assert decided.state is AuditState.PASSED
    with pytest.raises(StateConflict):
        await national.decide(PREFIX, False, "second thoughts", OPERATOR)
    with pytest.raises(NotFound):
        await national.decide("88.901.999", True, "", OPERATOR)


def test_the_form_of_a_command():
    text = b'{"command":"poll","clTRID":"abc","op":"ack","msgID":7}'
    assert msgspec.json.decode(text, type=Command) == Poll(
        transaction="abc", operation="ack", message=7
    )
    for wrong in (b'{"command":"poll","clTRID":"a","op":"req"}', b'{"command":"delete"}'):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(wrong, type=Command)
