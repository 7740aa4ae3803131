"""What every backend promises of accounts: whose a token is, what limits count, what ends."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from registry.accounts.account import Account, AccountKey, AnsweredChallenge, Token, issue_account
from registry.accounts.account import issue_token as issued_token
from registry.accounts.office import MAX_TOKENS, AccountOffice
from registry.audit.ledger import Ledger
from registry.audit.log import Actor, Event
from registry.authorisation import Principal, Role
from registry.clock import ManualClock
from registry.errors import AlreadyExists, InvalidValue, NotFound, StateConflict
from registry.prefixes.allocations import Allocation, Hosting
from registry.prefixes.life import PrefixState
from registry.quotas.quota import Quota, QuotaUse, RegistrationLimit
from registry.storage.backends import open_store
from registry.storage.interface import Store

ACTOR = Actor("operator@88.901", "http 127.0.0.1")
NOW = 1_700_000_000
HELD = {
    PrefixState.ALLOCATED,
    PrefixState.ROUTED,
    PrefixState.ACTIVE,
    PrefixState.TRANSFERRING,
    PrefixState.SUSPENDED,
}


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    opened = await open_store(store_url)
    yield opened
    await opened.close()


async def allocate(store: Store, **prefixes: PrefixState) -> None:
    """Let the enterprise E7 have prefixes under 88.901 in these states."""
    async with store.begin() as transaction:
        await transaction.file(
            [
                Allocation(f"88.901.{name[1:]}", "E7", state, Hosting.HOSTED, NOW * 1000)
                for name, state in prefixes.items()
            ]
        )


class TestPrincipals:
    async def test_an_enterprise_acts_for_what_is_allocated_to_it(self, store: Store) -> None:
        issued = issue_account("cellar", Role.ENTERPRISE_OPERATOR, "", "E7")
        async with store.begin() as transaction:
            await transaction.add_accounts([issued.account], [issued.app_key])
        digest = issued.app_key.digest
        expected = Principal("cellar", Role.ENTERPRISE_OPERATOR, (), "E7")
        assert await store.reads.principal(digest, NOW) == expected
        await allocate(store, _7=PrefixState.ACTIVE, _8=PrefixState.SUSPENDED)
        both = expected._replace(prefixes=("88.901.7", "88.901.8"))
        assert await store.reads.principal(digest, NOW) == both

    @pytest.mark.parametrize("state", PrefixState)
    async def test_in_some_states_only(self, store: Store, state: PrefixState) -> None:
        issued = issue_account("cellar", Role.ENTERPRISE_APP, "88.901.9", "E7")
        async with store.begin() as transaction:
            await transaction.add_accounts([issued.account], [issued.app_key])
        await allocate(store, _7=state)
        found = await store.reads.principal(issued.app_key.digest, NOW)
        assert found is not None
        own = ("88.901.9",)
        assert found.prefixes == ((*own, "88.901.7") if state in HELD else own)

    async def test_who_has_no_enterprise_gets_nobodys_prefixes(self, store: Store) -> None:
        issued = issue_account("op", Role.OPERATOR, "88.901")
        async with store.begin() as transaction:
            await transaction.add_accounts([issued.account], [issued.app_key])
            await transaction.file(
                [Allocation("88.901.7", "", PrefixState.ACTIVE, Hosting.HOSTED, 0)]
            )
        found = await store.reads.principal(issued.app_key.digest, NOW)
        assert found == Principal("op", Role.OPERATOR, ("88.901",))

    async def test_a_token_is_good_until_it_expires(self, store: Store) -> None:
        account = issue_account("op", Role.OPERATOR, "88.901").account
        token, _ = issued_token("op", now=NOW, expires=NOW + 10)
        async with store.begin() as transaction:
            await transaction.add_accounts([account], [token])
        assert await store.reads.principal(token.digest, NOW + 9) is not None
        assert await store.reads.principal(token.digest, NOW + 10) is None

    async def test_a_disabled_account_is_nobody(self, store: Store) -> None:
        issued = issue_account("op", Role.OPERATOR, "88.901")
        async with store.begin() as transaction:
            account = issued.account._replace(disabled=NOW)
            await transaction.add_accounts([account], [issued.app_key])
        assert await store.reads.principal(issued.app_key.digest, NOW) is None


async def test_what_has_expired_is_forgotten(store: Store) -> None:
    account = issue_account("op", Role.OPERATOR, "88.901").account
    tokens = [issued_token("op", expires=expires)[0] for expires in (0, NOW - 1, NOW)]
    async with store.begin() as transaction:
        await transaction.add_accounts([account], tokens)
        await transaction.file([AnsweredChallenge(b"old", NOW - 1), AnsweredChallenge(b"new", NOW)])
        await transaction.forget_tokens(NOW)
    assert {token.expires for token in await store.reads.dossiers(Token)} == {0, NOW}
    assert await store.reads.dossiers(AnsweredChallenge) == [AnsweredChallenge(b"new", NOW)]


async def test_limits_on_registrations(store: Store) -> None:
    assert not await store.reads.limits_registrations()
    await allocate(store, _7=PrefixState.ACTIVE, _8=PrefixState.ACTIVE, _9=PrefixState.REVOKED)
    async with store.begin() as transaction:
        await transaction.file([Quota("account:a", requests=5)])
    assert not await store.reads.limits_registrations()
    async with store.begin() as transaction:
        await transaction.file([Quota("account:b", registrations=5), Quota("enterprise:E7", 1, 9)])
        await transaction.file([QuotaUse("enterprise:E7", registrations=4)])
        prefixes = ["88", "88.901", "88.901.7", "88.901.8", "88.901.9"]
        found = await transaction.registration_limits(["account:a", "account:b"], prefixes)
    assert await store.reads.limits_registrations()
    assert sorted(found) == [
        RegistrationLimit("account:b", 5, 0),
        RegistrationLimit("enterprise:E7", 9, 4, "88.901.7"),
        RegistrationLimit("enterprise:E7", 9, 4, "88.901.8"),
    ]
    assert (await store.reads.dossiers(Quota, subject="account:a"))[0].registrations is None


class TestOffice:
    @pytest_asyncio.fixture
    async def ledger(self, store: Store) -> Ledger:
        return Ledger(store, ManualClock(NOW))

    async def test_every_change_is_noted(self, store: Store, ledger: Ledger) -> None:
        account = issue_account("cellar", Role.ENTERPRISE_APP, "", "E7").account
        async with ledger.begin() as writing:
            office = AccountOffice(writing, ACTOR)
            await office.open(account)
            await office.issue(issued_token("cellar")[0])
            await office.add_key(AccountKey("0" * 16, "cellar", "", "PEM", NOW))
            await office.disable("cellar")
            await office.disable("cellar")
            await office.enable("cellar")
            await office.set_password("cellar", b"digest")
            await office.remove_key("cellar", "0" * 16)
            await office.delete("cellar")
            events = [sealed.entry.event for sealed in writing.entries]
            digests = [(sealed.entry.before, sealed.entry.after) for sealed in writing.entries]
        assert events == [
            Event.ACCOUNT_CREATED,
            Event.TOKEN_ISSUED,
            Event.KEY_ADDED,
            Event.TOKEN_REVOKED,
            Event.ACCOUNT_DISABLED,
            Event.ACCOUNT_ENABLED,
            Event.ACCOUNT_PASSWORD_SET,
            Event.KEY_REMOVED,
            Event.ACCOUNT_DELETED,
        ]
        assert digests[0][0] == digests[-1][1] == b""
        assert digests[4][0] == digests[0][1] == digests[5][1] != digests[6][1]
        assert await store.reads.dossiers(Account) == []

    async def test_what_is_refused_changes_nothing(self, store: Store, ledger: Ledger) -> None:
        account = issue_account("cellar", Role.ENTERPRISE_APP, "", "E7").account
        async with ledger.begin() as writing:
            office = AccountOffice(writing, ACTOR)
            await office.open(account)
            with pytest.raises(AlreadyExists):
                await office.open(account)
            with pytest.raises(InvalidValue):
                await office.open(account._replace(username="Cellar"))
            for step in (office.disable, office.enable, office.delete):
                with pytest.raises(NotFound):
                    await step("nobody")
            with pytest.raises(NotFound):
                await office.issue(issued_token("nobody")[0])
            await office.disable("cellar")
            with pytest.raises(StateConflict):
                await office.issue(issued_token("cellar")[0])
            assert len(writing.entries) == 2

    async def test_the_oldest_token_makes_room(self, store: Store, ledger: Ledger) -> None:
        account = issue_account("cellar", Role.ENTERPRISE_APP, "", "E7").account
        tokens = [issued_token("cellar", now=number)[0] for number in range(MAX_TOKENS + 2)]
        async with ledger.begin() as writing:
            office = AccountOffice(writing, ACTOR)
            await office.open(account)
            for token in tokens:
                await office.issue(token)
        left = {token.created for token in await store.reads.dossiers(Token)}
        assert left == {*range(2, MAX_TOKENS + 2)}


def test_nothing_secret_is_printed() -> None:
    issued = issue_account("op", Role.OPERATOR, "88.901")
    token, secret = issued_token("op", "a label")
    printed = f"{issued!r} {issued.account!r} {issued.app_key!r} {token!r} {issued} {token}"
    for hidden in (issued.password, issued.token, secret):
        assert hidden not in printed
    for digest in (issued.account.password_digest, issued.app_key.digest, token.digest):
        assert repr(digest) not in printed
        assert digest.hex() not in printed
