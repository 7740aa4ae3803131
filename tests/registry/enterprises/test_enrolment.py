"""Enterprises enrol with a sector node: with their first account or not at all, each once."""

from __future__ import annotations

import msgspec
import pytest
import pytest_asyncio

from registry.accounts.account import Account
from registry.audit.log import Event
from registry.authorisation import Role
from registry.clock import ManualClock
from registry.enterprises.enterprise import Enterprise, EnterpriseState
from registry.enterprises.milestones import Milestone
from registry.errors import AlreadyExists, InvalidValue, NotFound, StateConflict
from registry.storage.interface import Reads
from tests.support.enterprises import form
from tests.support.prefixes import OPERATOR, OWNER, SectorNode, nodes_on

ACCOUNT = Account("cellar", Role.ENTERPRISE_OPERATOR, "", b"digest")


@pytest_asyncio.fixture
async def sector(new_store_url):
    async with nodes_on(new_store_url, ManualClock()) as (sector, _):
        yield sector


async def stored(reads: Reads, number: str) -> Enterprise:
    (found,) = await reads.dossiers(Enterprise, number=number)
    return found


async def test_it_comes_with_its_first_account(sector):
    enrolled = await sector.enrolment.enrol(form(), OWNER, [ACCOUNT])
    assert await stored(sector.reads, enrolled.number) == enrolled
    (account,) = await sector.reads.dossiers(Account, enterprise=enrolled.number)
    assert (account.username, account.prefix) == ("cellar", "")
    (step,) = await sector.reads.dossiers(Milestone, subject=enrolled.number)
    assert (step.operation, step.state, step.actor) == ("applied", "applied", "cellar")


async def test_without_the_account_there_is_no_enterprise(sector):
    await sector.enrolment.enrol(form(1), OWNER, [ACCOUNT])
    with pytest.raises(AlreadyExists):
        await sector.enrolment.enrol(form(2), OWNER, [ACCOUNT])
    assert len(await sector.reads.dossiers(Enterprise)) == 1


async def test_a_certificate_enrols_once(sector):
    first = await sector.enrolment.enrol(form(), OWNER)
    with pytest.raises(AlreadyExists):
        await sector.enrolment.enrol(form(), OWNER)
    await sector.enrolment.reject(first.number, OPERATOR, "the licence cannot be read")
    second = await sector.enrolment.enrol(form(), OWNER)
    with pytest.raises(AlreadyExists):
        await sector.enrolment.change(first.number, form(), OWNER)
    assert second.number != first.number


async def test_a_rejected_enterprise_applies_anew(sector):
    enrolled = await sector.enrolment.enrol(form(), OWNER)
    await sector.enrolment.reject(enrolled.number, OPERATOR, "the licence cannot be read")
    again = await sector.enrolment.change(enrolled.number, form(2), OWNER)
    assert (again.number, again.state) == (enrolled.number, EnterpriseState.APPLIED)
    assert again.certificate_code == form(2).certificate_code
    steps = await sector.reads.dossiers(Milestone, subject=enrolled.number)
    assert [(step.operation, step.actor, step.reason) for step in steps] == [
        ("applied", "cellar", ""),
        ("rejected", "operator@88.901", "the licence cannot be read"),
        ("applied", "cellar", ""),
    ]


async def test_an_accepted_enterprise_keeps_its_identity(sector):
    accepted = await sector.enterprise()
    moved = msgspec.structs.replace(form(), website="https://moved.example/")
    changed = await sector.enrolment.change(accepted.number, moved, OWNER)
    assert (changed.state, changed.form.website) == (
        EnterpriseState.ACCEPTED,
        "https://moved.example/",
    )
    renamed = msgspec.structs.replace(form(), name="另一家企业")
    with pytest.raises(InvalidValue) as refused:
        await sector.enrolment.change(accepted.number, renamed, OWNER)
    assert refused.value.field == "name"


async def test_a_review_ends_once(sector):
    accepted = await sector.enterprise()
    with pytest.raises(StateConflict):
        await sector.enrolment.accept(accepted.number, OPERATOR)
    with pytest.raises(NotFound):
        await sector.enrolment.accept("E999", OPERATOR)


async def test_every_step_is_in_the_audit_log(sector: SectorNode):
    accepted = await sector.enterprise()
    entries = await sector.reads.entries(accepted.number, 1 << 62, 10)
    assert [(entry.event, entry.actor) for entry in entries] == [
        (Event.ENTERPRISE_ACCEPTED, "operator@88.901"),
        (Event.ENTERPRISE_APPLIED, "cellar"),
    ]
    assert entries[0].before == entries[1].after


@pytest.mark.parametrize("about", [None, "E1"])
async def test_the_audit_log_is_read_page_by_page(sector: SectorNode, about):
    for number in range(3):
        await sector.enrolment.enrol(form(number), OWNER)
    whole = await sector.reads.entries(about, 1 << 62, 10)
    assert len(whole) == (3 if about is None else 1)
    pages, before = [], 1 << 62
    while page := await sector.reads.entries(about, before, 1):
        pages += page
        before = page[-1].sequence
    assert pages == whole
