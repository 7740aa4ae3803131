"""Prefixes at a sector node: each move with its record, its home, its rights and its reason."""

from __future__ import annotations

import pytest
import pytest_asyncio

from registry.accounts.account import Account
from registry.authorisation import Role
from registry.clock import ManualClock
from registry.enterprises.milestones import Milestone
from registry.errors import (
    AlreadyExists,
    Gone,
    InvalidValue,
    NotFound,
    PrefixQuotaSpent,
    StateConflict,
)
from registry.prefixes.allocating import allocation_of
from registry.prefixes.allocations import FIRST_CODE, Allocation, Hosting
from registry.prefixes.life import PrefixOperation, PrefixState
from registry.quotas.quota import Quota
from registry.registration.lifecycle import RESTORE_WINDOW, State
from tests.support.enterprises import form
from tests.support.prefixes import OPERATOR, OWNER, SECTOR, nodes_on

PREFIX = "88.901.55"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest_asyncio.fixture
async def sector(new_store_url, clock):
    async with nodes_on(new_store_url, clock) as (sector, _):
        yield sector


class TestApplying:
    async def test_the_next_free_prefix(self, sector):
        number = (await sector.enterprise()).number
        applied = [
            await sector.allocating.apply(number, None, Hosting.HOSTED, OWNER) for _ in range(2)
        ]
        assert [each.prefix for each in applied] == [
            f"{SECTOR}.{FIRST_CODE}",
            f"{SECTOR}.{FIRST_CODE + 1}",
        ]
        assert {each.state for each in applied} == {PrefixState.APPLIED}

    @pytest.mark.parametrize(
        "prefix",
        [
            "88.902.5",
            "88.901",
            "88.901.5.1",
            "88.901.",
            "88.901.ABC",
            "88.901.007",
            "88.901.123456789",
        ],
    )
    async def test_a_prefix_that_nobody_can_have(self, sector, prefix):
        number = (await sector.enterprise()).number
        with pytest.raises(InvalidValue) as refused:
            await sector.allocating.apply(number, prefix, Hosting.HOSTED, OWNER)
        assert refused.value.field == "prefix"

    async def test_a_prefix_is_somebody_elses(self, sector):
        first, second = await sector.enterprise(1), await sector.enterprise(2)
        await sector.allocating.apply(first.number, PREFIX, Hosting.HOSTED, OWNER)
        with pytest.raises(AlreadyExists):
            await sector.allocating.apply(second.number, PREFIX, Hosting.HOSTED, OWNER)

    async def test_what_was_rejected_can_be_applied_for_anew(self, sector):
        first, second = await sector.enterprise(1), await sector.enterprise(2)
        await sector.allocating.apply(first.number, PREFIX, Hosting.HOSTED, OWNER)
        await sector.allocating.reject(PREFIX, OPERATOR, "the code is kept for a port")
        again = await sector.allocating.apply(second.number, PREFIX, Hosting.HOSTED, OWNER)
        assert again.enterprise == second.number

    async def test_a_rejected_enterprise_applies_for_nothing(self, sector):
        enrolled = await sector.enrolment.enrol(form(), OWNER)
        await sector.enrolment.reject(enrolled.number, OPERATOR, "unknown")
        with pytest.raises(StateConflict):
            await sector.allocating.apply(enrolled.number, PREFIX, Hosting.HOSTED, OWNER)

    async def test_the_enterprise_is_reviewed_first(self, sector):
        enrolled = await sector.enrolment.enrol(form(), OWNER)
        await sector.allocating.apply(enrolled.number, PREFIX, Hosting.HOSTED, OWNER)
        with pytest.raises(StateConflict, match="the enterprise is applied"):
            await sector.allocating.accept(PREFIX, OPERATOR)

    async def test_a_quota_on_prefixes_holds(self, sector):
        number = (await sector.enterprise()).number
        async with sector.registrar.ledger.begin() as writing:
            await writing.transaction.file([Quota(f"enterprise:{number}", prefixes=1)])
        await sector.allocating.apply(number, None, Hosting.HOSTED, OWNER)
        with pytest.raises(PrefixQuotaSpent):
            await sector.allocating.apply(number, None, Hosting.HOSTED, OWNER)

    async def test_nobody_applied(self, sector):
        with pytest.raises(NotFound):
            await sector.allocating.accept(PREFIX, OPERATOR)


class TestEnding:
    @pytest_asyncio.fixture
    async def active(self, sector) -> Allocation:
        return await sector.active(await sector.enterprise(), PREFIX)

    async def test_it_resolves(self, sector, active):
        assert active.state is PrefixState.ACTIVE
        assert await sector.resolves(PREFIX)

    async def test_suspended_it_does_not_and_resumed_it_does(self, sector, active):
        await sector.allocating.move(PREFIX, PrefixOperation.SUSPEND, OPERATOR, "overdue")
        assert not await sector.resolves(PREFIX)
        assert await sector.reads.state("0.NA", PREFIX) == State.ON_HOLD
        await sector.allocating.move(PREFIX, PrefixOperation.RESUME, OPERATOR)
        assert await sector.resolves(PREFIX)

    async def test_revoked_it_does_not_and_restored_it_does(self, sector, active):
        await sector.allocating.move(PREFIX, PrefixOperation.REVOKE, OPERATOR, "closed")
        assert not await sector.resolves(PREFIX)
        assert await sector.reads.state("0.NA", PREFIX) == State.REVOKED
        restored = await sector.allocating.restore(PREFIX, OPERATOR)
        assert restored.state is PrefixState.ALLOCATED
        assert (await sector.advancing.advance(PREFIX)).state is PrefixState.ACTIVE
        assert await sector.resolves(PREFIX)

    async def test_suspended_it_can_be_revoked(self, sector, active):
        await sector.allocating.move(PREFIX, PrefixOperation.SUSPEND, OPERATOR)
        await sector.allocating.move(PREFIX, PrefixOperation.REVOKE, OPERATOR)
        assert await sector.reads.state("0.NA", PREFIX) == State.REVOKED

    async def test_it_is_restored_within_the_window(self, sector, active, clock):
        await sector.allocating.move(PREFIX, PrefixOperation.REVOKE, OPERATOR)
        clock.advance(RESTORE_WINDOW)
        with pytest.raises(Gone):
            await sector.allocating.restore(PREFIX, OPERATOR)

    async def test_nobody_gets_it_afterwards(self, sector, active, clock):
        await sector.allocating.move(PREFIX, PrefixOperation.REVOKE, OPERATOR)
        clock.advance(RESTORE_WINDOW)
        other = await sector.enterprise(2)
        with pytest.raises(AlreadyExists):
            await sector.allocating.apply(other.number, PREFIX, Hosting.HOSTED, OWNER)

    async def test_who_did_what_and_why(self, sector, active):
        await sector.allocating.move(PREFIX, PrefixOperation.SUSPEND, OPERATOR, "overdue")
        steps = await sector.reads.dossiers(Milestone, subject=PREFIX)
        assert [(step.state, step.actor) for step in steps] == [
            ("applied", "cellar"),
            ("accepted", "operator@88.901"),
            ("submitted", "idnode"),
            ("allocated", "idnode"),
            ("routed", "idnode"),
            ("active", "idnode"),
            ("suspended", "operator@88.901"),
        ]
        assert steps[-1].reason == "overdue"
        entries = await sector.reads.entries(PREFIX, 1 << 62, 100)
        assert [entry.sequence for entry in reversed(entries)] == [step.number for step in steps]


class TestTransferring:
    @pytest_asyncio.fixture
    async def parties(self, sector) -> tuple[str, str]:
        giver, receiver = await sector.enterprise(1), await sector.enterprise(2)
        await sector.active(giver, PREFIX)
        return giver.number, receiver.number

    async def test_it_has_to_be_taken(self, sector, parties):
        giver, receiver = parties
        offered = await sector.allocating.offer(PREFIX, receiver, OPERATOR, "a merger")
        assert (offered.state, offered.enterprise) == (PrefixState.TRANSFERRING, giver)
        assert await sector.resolves(PREFIX)
        taken = await sector.allocating.take(PREFIX, OWNER)
        assert (taken.state, taken.enterprise, taken.receiver) == (
            PrefixState.ACTIVE,
            receiver,
            "",
        )

    async def test_it_can_be_declined(self, sector, parties):
        giver, receiver = parties
        await sector.allocating.offer(PREFIX, receiver, OPERATOR, "")
        declined = await sector.allocating.move(PREFIX, PrefixOperation.DECLINE, OWNER)
        assert (declined.enterprise, declined.receiver) == (giver, "")

    async def test_a_suspension_ends_the_offer(self, sector, parties):
        await sector.allocating.offer(PREFIX, parties[1], OPERATOR, "")
        await sector.allocating.move(PREFIX, PrefixOperation.SUSPEND, OPERATOR)
        with pytest.raises(StateConflict):
            await sector.allocating.take(PREFIX, OWNER)
        assert (await allocation_of(sector.reads, PREFIX)).receiver == ""

    async def test_the_receiver_is_another_accepted_enterprise(self, sector, parties):
        waiting = await sector.enrolment.enrol(form(3), OWNER)
        for receiver in (parties[0], waiting.number, "E999"):
            with pytest.raises(InvalidValue) as refused:
                await sector.allocating.offer(PREFIX, receiver, OPERATOR, "")
            assert refused.value.field == "receiver"

    async def test_it_counts_against_the_receivers_quota(self, sector, parties):
        receiver = parties[1]

        async def limit(prefixes: int) -> None:
            async with sector.registrar.ledger.begin() as writing:
                await writing.transaction.file([Quota(f"enterprise:{receiver}", prefixes=prefixes)])

        await sector.allocating.offer(PREFIX, receiver, OPERATOR, "")
        await limit(0)
        with pytest.raises(PrefixQuotaSpent):
            await sector.allocating.take(PREFIX, OWNER)
        assert (await allocation_of(sector.reads, PREFIX)).enterprise == parties[0]
        await limit(1)
        assert (await sector.allocating.take(PREFIX, OWNER)).enterprise == receiver

    async def test_old_rights_end(self, sector, parties):
        giver, receiver = parties
        held = [
            Account("line-1", Role.ENTERPRISE_APP, PREFIX, b"", giver),
            Account("line-2", Role.ENTERPRISE_APP, "88.901.56", b"", giver),
        ]
        async with sector.registrar.ledger.begin() as writing:
            await writing.transaction.file(held)
        await sector.allocating.appoint(PREFIX, OWNER)
        await sector.allocating.offer(PREFIX, receiver, OPERATOR, "")
        await sector.allocating.take(PREFIX, OWNER)
        accounts = await sector.reads.dossiers(Account, enterprise=giver)
        assert {each.username: each.prefix for each in accounts} == {
            "line-1": "",
            "line-2": "88.901.56",
        }
        assert await sector.reads.record(PREFIX, "ADMIN") is None


class TestAdministrators:
    async def test_a_new_secret_ends_the_old_one(self, sector):
        await sector.active(await sector.enterprise(), PREFIX)
        secrets = [await sector.allocating.appoint(PREFIX, OWNER) for _ in range(2)]
        record = await sector.reads.record(PREFIX, "ADMIN")
        assert [secret.encode() in record for secret in secrets] == [False, True]

    async def test_a_prefix_elsewhere_has_its_administrator_elsewhere(self, sector):
        await sector.accepted(await sector.enterprise(), PREFIX, Hosting.SELF_HOSTED)
        with pytest.raises(StateConflict):
            await sector.allocating.appoint(PREFIX, OWNER)
