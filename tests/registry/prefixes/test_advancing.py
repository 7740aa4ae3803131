"""Prefixes go on by themselves, whatever was cut off, and never come to two of anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import pytest_asyncio
from msgspec.structs import replace

from registry.clock import ManualClock
from registry.enterprises.enterprise import Enterprise
from registry.enterprises.milestones import Milestone
from registry.prefixes.allocating import allocation_of
from registry.prefixes.allocations import Hosting
from registry.prefixes.life import PrefixOperation, PrefixState
from registry.provisioning.commands import CreateEnterprise, CreatePrefix, UpdateEnterprise
from registry.provisioning.kept import AuditState, Notice, ProvisionedEnterprise, ProvisionedPrefix
from registry.provisioning.reporting import NationalSilent
from registry.storage.backends import open_store
from tests.support.enterprises import form
from tests.support.prefixes import (
    OPERATOR,
    OWNER,
    Cut,
    SectorNode,
    national_on,
    nodes_on,
    sector_on,
)

PREFIX = "88.901.55"
#: How many commands a walk takes: check, create, create, poll, acknowledge, poll.
COMMANDS = 6
WALK = ["applied", "accepted", "submitted", "allocated", "routed", "active"]


@pytest_asyncio.fixture
async def sector(new_store_url):
    async with nodes_on(new_store_url, ManualClock()) as (sector, _):
        yield sector


@pytest_asyncio.fixture
async def audited(new_store_url):
    """A sector node and a national one whose operator makes the audits."""
    async with nodes_on(new_store_url, ManualClock(), manual=True) as nodes:
        yield nodes


async def states(sector: SectorNode, subject: str = PREFIX) -> list[str]:
    return [step.state for step in await sector.reads.dossiers(Milestone, subject=subject)]


async def test_it_goes_all_the_way(sector):
    active = await sector.active(await sector.enterprise(), PREFIX)
    assert active.state is PrefixState.ACTIVE
    assert await states(sector) == WALK
    (known,) = await sector.reads.dossiers(Enterprise)
    assert (known.national, known.reported) == ("N1", 1)


async def test_an_enterprise_is_made_known_once(sector):
    enterprise = await sector.enterprise()
    for prefix in (PREFIX, "88.901.56"):
        await sector.active(enterprise, prefix)
    made = [each for each in sector.link.sent if isinstance(each, CreateEnterprise)]
    assert len(made) == 1


async def test_an_audit_is_waited_for(audited):
    sector, national = audited
    waiting = await sector.active(await sector.enterprise(), PREFIX)
    assert waiting.state is PrefixState.SUBMITTED
    assert await sector.advancing.advance_all()
    await national.decide(PREFIX, True, "in order", OPERATOR)
    assert not await sector.advancing.advance_all()
    assert await states(sector) == WALK
    (passed,) = await sector.reads.dossiers(Milestone, subject=PREFIX, operation="passed")
    assert passed.reason == "in order"


async def test_a_refused_prefix_can_be_applied_for_anew(audited):
    sector, national = audited
    enterprise = await sector.enterprise()
    await sector.active(enterprise, PREFIX)
    await national.decide(PREFIX, False, "the code is kept", OPERATOR)
    refused = await sector.advancing.advance(PREFIX)
    assert refused.state is PrefixState.REJECTED
    await sector.active(enterprise, PREFIX)
    await national.decide(PREFIX, True, "in order", OPERATOR)
    assert (await sector.advancing.advance(PREFIX)).state is PrefixState.ACTIVE


async def test_results_of_others_are_taken_in_too(audited):
    sector, national = audited
    enterprise = await sector.enterprise()
    for prefix in (PREFIX, "88.901.56"):
        await sector.active(enterprise, prefix)
    for prefix in (PREFIX, "88.901.56"):
        await national.decide(prefix, True, "in order", OPERATOR)
    await sector.advancing.advance(PREFIX)
    other = await allocation_of(sector.reads, "88.901.56")
    assert other.state is PrefixState.ALLOCATED


async def test_a_result_that_two_take_in_at_once_is_acted_on(audited):
    sector, national = audited
    await sector.active(await sector.enterprise(), PREFIX)
    await national.decide(PREFIX, True, "in order", OPERATOR)
    all_of_them, this_one = sector.advancing.advance_all(), sector.advancing.advance(PREFIX)
    _, gone_on = await asyncio.gather(all_of_them, this_one)
    assert gone_on.state is PrefixState.ACTIVE
    assert await states(sector) == WALK


async def test_a_silent_national_node_is_named(sector, monkeypatch):
    async def silent(command: object) -> None:
        raise NationalSilent("the national node does not answer")

    monkeypatch.setattr(sector.link, "send", silent)
    stuck = await sector.active(await sector.enterprise(), PREFIX)
    assert (stuck.state, stuck.problem) == (
        PrefixState.ACCEPTED,
        "the national node does not answer",
    )
    monkeypatch.undo()
    gone_on = await sector.advancing.advance(PREFIX)
    assert (gone_on.state, gone_on.problem) == (PrefixState.ACTIVE, "")


async def test_it_goes_on_by_itself_once_woken(audited):
    sector, national = audited
    going_on = asyncio.create_task(sector.advancing.run())
    try:
        await sector.accepted(await sector.enterprise(), PREFIX)
        sector.advancing.wake()
        await until(sector, PrefixState.SUBMITTED)
        await national.decide(PREFIX, True, "in order", OPERATOR)
        sector.advancing.wake()
        await until(sector, PrefixState.ACTIVE)
    finally:
        going_on.cancel()
        await asyncio.gather(going_on, return_exceptions=True)


async def until(sector: SectorNode, state: PrefixState) -> None:
    """Wait until the prefix stands so."""
    changed = asyncio.Event()
    sector.registrar.ledger.subscribe(lambda head: changed.set())
    async with asyncio.timeout(30):
        while (await allocation_of(sector.reads, PREFIX)).state is not state:
            await changed.wait()
            changed.clear()


class TestSelfHosted:
    async def test_it_waits_for_its_route_and_its_home(self, sector):
        await sector.accepted(await sector.enterprise(), PREFIX, Hosting.SELF_HOSTED)
        assert (await sector.advancing.advance(PREFIX)).state is PrefixState.ALLOCATED
        await sector.allocating.route(PREFIX, OWNER, b"a site")
        routed = await sector.advancing.advance(PREFIX)
        assert routed.state is PrefixState.ROUTED
        assert "does not answer" in routed.problem
        sector.served.add(PREFIX)
        assert (await sector.advancing.advance(PREFIX)).state is PrefixState.ACTIVE
        assert PREFIX not in await sector.reads.homed_prefixes()
        assert b"a site" in await sector.reads.record("0.NA", PREFIX)

    async def test_it_is_routed_elsewhere(self, sector):
        sector.served.add(PREFIX)
        await sector.accepted(await sector.enterprise(), PREFIX, Hosting.SELF_HOSTED)
        await sector.advancing.advance(PREFIX)
        await sector.allocating.route(PREFIX, OWNER, b"a site")
        await sector.advancing.advance(PREFIX)
        moved = await sector.allocating.route(PREFIX, OWNER, b"another")
        assert moved.state is PrefixState.ACTIVE
        assert b"another" in await sector.reads.record("0.NA", PREFIX)

    async def test_revoked_its_delegation_is_gone_and_restored_it_comes_back(self, sector):
        sector.served.add(PREFIX)
        await sector.accepted(await sector.enterprise(), PREFIX, Hosting.SELF_HOSTED)
        await sector.advancing.advance(PREFIX)
        await sector.allocating.route(PREFIX, OWNER, b"a site")
        await sector.advancing.advance(PREFIX)
        await sector.allocating.move(PREFIX, PrefixOperation.REVOKE, OPERATOR)
        assert await sector.reads.record("0.NA", PREFIX) is None
        await sector.allocating.restore(PREFIX, OPERATOR)
        assert (await sector.advancing.advance(PREFIX)).state is PrefixState.ACTIVE
        assert b"a site" in await sector.reads.record("0.NA", PREFIX)


async def test_a_changed_form_is_reported(sector):
    enterprise = await sector.enterprise()
    await sector.active(enterprise, PREFIX)
    moved = replace(form(), website="https://moved.example/")
    await sector.enrolment.change(enterprise.number, moved, OWNER)
    await sector.advancing.advance_all()
    assert isinstance(sector.link.sent[-1], UpdateEnterprise)
    (known,) = await sector.reads.dossiers(Enterprise)
    assert known.reported == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, COMMANDS + 1))
async def test_cut_off_at_any_command_it_goes_on(
    new_store_url: Callable[[], str], when: str, number: int
):
    """The process dies before a command is carried out, or with its reply on the way."""
    clock, national_url, sector_url = ManualClock(), new_store_url(), new_store_url()
    async with national_on(national_url, clock) as national:
        async with sector_on(sector_url, national, clock) as sector:
            setattr(sector.link, f"cut_{when}", number)
            await sector.accepted(await sector.enterprise(), PREFIX)
            try:
                await sector.advancing.advance(PREFIX)
            except Cut:
                assert len(sector.link.sent) == number
        async with sector_on(sector_url, national, clock) as sector:
            assert not await sector.advancing.advance_all()
            assert (await allocation_of(sector.reads, PREFIX)).state is PrefixState.ACTIVE
            assert await states(sector) == WALK
            assert await sector.resolves(PREFIX)
    store = await open_store(national_url)
    try:
        (prefix,) = await store.reads.dossiers(ProvisionedPrefix)
        assert prefix.state is AuditState.PASSED
        assert len(await store.reads.dossiers(ProvisionedEnterprise)) == 1
        assert await store.reads.dossiers(Notice) == []
    finally:
        await store.close()


async def test_the_commands_of_a_walk(sector):
    await sector.active(await sector.enterprise(), PREFIX)
    assert len(sector.link.sent) == COMMANDS
    assert sum(isinstance(each, CreatePrefix) for each in sector.link.sent) == 1
