"""What every backend promises. A further one joins by a line in tests/conftest.py."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest
import pytest_asyncio
from sqlalchemy.exc import IntegrityError

from registry.accounts.account import Account, authenticate, issue_account
from registry.audit.log import START, Actor, Checkpoint, Entry, Event, Head, Note, Sealed, seal
from registry.authorisation import Principal, Role
from registry.errors import NotFound
from registry.schemes.handle import Key
from registry.storage.backends import open_store
from registry.storage.dossiers import Page
from registry.storage.interface import (
    ACTIVE,
    Ended,
    KeptOutcome,
    Past,
    Row,
    Store,
    StoreNotUsable,
)
from registry.storage.search_interface import Entered

SECTOR, HOSTED = "88.901", "88.901.7"

Reopen = Callable[[], Awaitable[Store]]


@pytest_asyncio.fixture
async def reopen(store_url: str) -> AsyncIterator[Reopen]:
    """Opens the same store anew each time, closing the one opened before."""
    opened: list[Store] = []

    async def close() -> None:
        while opened:
            await opened.pop().close()

    async def reopen() -> Store:
        await close()
        opened.append(await open_store(store_url))
        return opened[-1]

    yield reopen
    await close()


@pytest_asyncio.fixture
async def store(reopen: Reopen) -> Store:
    store = await reopen()
    async with store.begin() as transaction:
        await transaction.home([SECTOR, HOSTED])
    return store


def row(suffix: str, record: bytes = b"\0\0\0\0", prefix: str = SECTOR, state: int = ACTIVE) -> Row:
    return Row(prefix, suffix, record, state, 1, 1_700_000_000)


async def insert(store: Store, *rows: Row) -> None:
    async with store.begin() as transaction:
        await transaction.insert(rows)


class TestReading:
    async def test_a_committed_record_is_read_at_once(self, store: Store) -> None:
        await insert(store, row("A", b"first"))
        assert await store.reads.record(SECTOR, "A") == b"first"
        assert await store.reads.row(SECTOR, "A") == row("A", b"first")
        assert await store.reads.record(SECTOR, "B") is None
        assert await store.reads.record(HOSTED, "A") is None

    async def test_only_active_identifiers_resolve(self, store: Store) -> None:
        held = row("HELD", state=1)
        await insert(store, held)
        assert await store.reads.record(SECTOR, "HELD") is None
        assert await store.reads.row(SECTOR, "HELD") == held
        assert await store.reads.page(SECTOR) == []

    async def test_a_transaction_under_way_is_not_seen(self, store: Store) -> None:
        async with store.begin() as transaction:
            await transaction.insert([row("A")])
            assert await store.reads.record(SECTOR, "A") is None
            assert await transaction.rows([Key(SECTOR, "A")]) == {Key(SECTOR, "A"): row("A")}

    async def test_keys_are_told_apart_octet_by_octet(self, store: Store) -> None:
        suffixes = ["", "a", "A", "%", "_", "'", '"', "É", "é", "產品", "😀", "A/B", "A B", "A\\"]
        await insert(store, *(row(suffix, suffix.encode()) for suffix in suffixes))
        for suffix in suffixes:
            assert await store.reads.record(SECTOR, suffix) == suffix.encode()
        async with store.begin() as transaction:
            found = await transaction.rows([Key(SECTOR, suffix) for suffix in suffixes])
        assert {key.suffix for key in found} == set(suffixes)

    async def test_pages_follow_key_order_and_miss_nothing(self, store: Store) -> None:
        suffixes = ["", *(f"S-{number:03d}" for number in range(25)), "產"]
        shuffled = random.Random(1).sample(suffixes, len(suffixes))
        await insert(store, *map(row, shuffled), row("OTHER", prefix=HOSTED))
        assert [found.suffix async for found in store.reads.scan(SECTOR, page_size=4)] == suffixes
        assert await store.reads.page(SECTOR, after="S-003", limit=2) == [
            row("S-004"),
            row("S-005"),
        ]


class TestWriting:
    async def test_rows_are_updated_and_deleted(self, store: Store) -> None:
        await insert(store, row("A"), row("B"), row("C"))
        changed = row("A", b"second")._replace(version=2)
        async with store.begin() as transaction:
            await transaction.update([changed])
            await transaction.delete([Key(SECTOR, "B")])
        assert [found async for found in store.reads.scan(SECTOR)] == [changed, row("C")]

    async def test_insert_missing_leaves_what_is_there(self, store: Store) -> None:
        await insert(store, row("A", b"first"))
        async with store.begin() as transaction:
            added = await transaction.insert_missing([row("A", b"other"), row("B"), row("C")])
        assert added == [row("B"), row("C")]
        assert await store.reads.record(SECTOR, "A") == b"first"

    async def test_an_exception_leaves_nothing_behind(self, store: Store) -> None:
        async def fail() -> None:
            async with store.begin() as transaction:
                await transaction.insert([row("A")])
                await transaction.home(["88.902"])
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        assert await store.reads.row(SECTOR, "A") is None
        assert await store.reads.homed_prefixes() == [SECTOR, HOSTED]

    async def test_writers_take_turns(self, store: Store) -> None:
        async def write(number: int) -> None:
            async with store.begin() as transaction:
                present = await transaction.rows([Key(SECTOR, "N")])
                await transaction.delete(list(present))
                count = int(present[Key(SECTOR, "N")].record) if present else 0
                await transaction.insert([row("N", str(count + number).encode())])

        await asyncio.gather(*map(write, range(1, 11)))
        assert await store.reads.record(SECTOR, "N") == b"55"

    async def test_a_cancelled_writer_leaves_all_or_nothing(self, store: Store) -> None:
        async def write(number: int) -> None:
            async with store.begin() as transaction:
                await transaction.insert([row(f"{number}-A")])
                await transaction.insert([row(f"{number}-B")])

        for number in range(40):
            task = asyncio.create_task(write(number))
            for _ in range(number):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            halves = [await store.reads.row(SECTOR, f"{number}-{half}") for half in "AB"]
            assert (halves[0] is None) == (halves[1] is None)
        await insert(store, row("AFTER"))
        assert await store.reads.row(SECTOR, "AFTER") is not None

    async def test_a_writer_cancelled_in_a_statement_gives_way_to_the_next(
        self, store: Store
    ) -> None:
        terms = [Entered(number, Key(SECTOR, f"{number}"), True) for number in range(20_000)]

        async def write(begun: asyncio.Event) -> None:
            async with store.begin() as transaction:
                begun.set()
                await transaction.enter(terms)

        for number in range(8):
            begun = asyncio.Event()
            task = asyncio.create_task(write(begun))
            await begun.wait()
            for _ in range(number):  # the store's own thread gets to work in as many turns
                await asyncio.to_thread(bool)
            task.cancel()
            # Whoever refers to how it ended refers to all it had under way.
            (_cancelled,) = await asyncio.gather(task, return_exceptions=True)
            await insert(store, row(f"AFTER-{number}"))
            assert await store.reads.row(SECTOR, f"AFTER-{number}") is not None

    async def test_a_large_batch_is_added_like_a_small_one(self, store: Store) -> None:
        rows = [row(f"N-{number:04d}", b"x" * number) for number in range(1000)]
        await insert(store, row("N-0007", b"first"))
        async with store.begin() as transaction:
            added = await transaction.insert_missing(rows[:600])
            assert added == [each for each in rows[:600] if each != rows[7]]
            await transaction.delete([Key(SECTOR, "N-0001")])
            assert await transaction.insert_missing([*rows[600:], *rows[990:]]) == rows[600:]
        there = [found async for found in store.reads.scan(SECTOR)]
        assert [found.suffix for found in there] == [
            each.suffix for each in rows if each != rows[1]
        ]
        assert there[6] == row("N-0007", b"first")
        assert there[-1] == rows[-1]


class TestGathering:
    async def test_a_decision_has_what_it_asks_for(self, store: Store) -> None:
        await insert(store, row("A", b"B"), row("B", b"C"), row("HELD", b"", state=1))

        def decide() -> list[bytes | None]:
            first = store.lookup.record(SECTOR, "A")
            assert first is not None
            second = store.lookup.row(SECTOR, first.decode())
            assert second is not None
            return [second.record, store.lookup.record(SECTOR, "HELD")]

        assert await store.gather(decide) == [b"C", None]
        assert await store.gather(decide, for_change=True) == [b"C", None]

    async def test_a_refusal_reaches_who_asked(self, store: Store) -> None:
        def decide() -> None:
            raise NotFound(str(store.lookup.row(SECTOR, "A")))

        with pytest.raises(NotFound, match="None"):
            await store.gather(decide)

    async def test_decisions_do_not_mix(self, store: Store) -> None:
        rows = [row(f"N-{number}", str(number).encode()) for number in range(300)]
        await insert(store, *rows)

        async def read(one: Row) -> bytes | None:
            return await store.gather(lambda: store.lookup.record(*one.key))

        assert await asyncio.gather(*map(read, rows)) == [one.record for one in rows]


def sealed(count: int, head: Head = START) -> list[Sealed]:
    actor, event = Actor("op", "http 127.0.0.1"), Event.IDENTIFIER_CREATED
    notes = [Note(event, actor, f"{SECTOR}/{n}", b"", bytes(32)) for n in range(count)]
    entries = [Entry.of(note, head.sequence + n, 1000 * n) for n, note in enumerate(notes, 1)]
    return list(seal(entries, head.hash))


class TestAuditAndHistory:
    async def test_the_log_goes_on_where_it_ended(self, store: Store) -> None:
        async with store.begin() as transaction:
            assert await transaction.audit_head() == START
            await transaction.append_audit(sealed(3))
        async with store.begin() as transaction:
            head = await transaction.audit_head()
            assert head == Head(3, sealed(3)[-1].hash)
            await transaction.append_audit(sealed(1, head))
        async with store.begin() as transaction:
            assert (await transaction.audit_head()).sequence == 4

    async def test_a_log_that_ends_broken_is_not_continued(self, store: Store) -> None:
        entries = sealed(2)
        entries[1] = Sealed(entries[1].entry._replace(actor="nobody"), entries[1].hash)
        async with store.begin() as transaction:
            await transaction.append_audit(entries)
            with pytest.raises(StoreNotUsable, match="entry 2"):
                await transaction.audit_head()

    async def test_what_an_identifier_was(self, store: Store) -> None:
        first = row("A", b"first")._replace(entry=1)
        second = first._replace(record=b"second", version=2, entry=2)
        async with store.begin() as transaction:
            await transaction.append_audit(sealed(3))
            await transaction.archive([Ended(*first, ended=2)])
            await transaction.insert([second])
        assert await store.reads.versions(SECTOR, "A") == [
            Past(first, 1000, "op", 2000, "op"),
            Past(second, 2000, "op", None, None),
        ]
        assert await store.reads.versions(SECTOR, "B") == []
        assert await store.reads.has_history(SECTOR)
        assert not await store.reads.has_history(HOSTED)
        async with store.begin() as transaction:
            found = await transaction.last_versions([Key(SECTOR, "A"), Key(SECTOR, "B")])
        assert found == {Key(SECTOR, "A"): 1}

    async def test_the_state_of_an_identifier(self, store: Store) -> None:
        await insert(store, row("A"), row("HELD", state=2))
        found = [await store.reads.state(SECTOR, suffix) for suffix in ("A", "HELD", "NONE")]
        assert found == [0, 2, None]

    async def test_outcomes_are_kept_for_a_while(self, store: Store) -> None:
        kept = [KeptOutcome(bytes([n]), b"request", "1 1", 100 + n) for n in range(3)]
        async with store.begin() as transaction:
            await transaction.keep_outcomes(kept)
            found = await transaction.outcomes([b"\0", b"\2", rb"\9"])
            assert found == {b"\0": kept[0], b"\2": kept[2]}
            await transaction.forget_outcomes(102)
            assert list(await transaction.outcomes([b"\0", b"\2"])) == [b"\2"]

    async def test_checkpoints_are_kept_by_node(self, store: Store) -> None:
        made = [Checkpoint("tea", n, bytes(32), 5, b"signed") for n in (3, 7, 9)]
        async with store.begin() as transaction:
            for checkpoint in (*made, made[0]._replace(node="cars")):
                await transaction.add_checkpoint(checkpoint)
            await transaction.forget_checkpoints("tea", 7)
        assert await store.reads.checkpoints("tea") == made[1:]
        assert len(await store.reads.checkpoints("cars")) == 1


class TestPrefixesAndCounts:
    async def test_prefixes_are_homed_once(self, store: Store) -> None:
        async with store.begin() as transaction:
            await transaction.count({SECTOR: 3})
            await transaction.home([SECTOR, "88.902", "88.902"])
        assert await store.reads.homed_prefixes() == [SECTOR, HOSTED, "88.902"]
        assert await store.reads.counts() == {SECTOR: 3, HOSTED: 0, "88.902": 0}

    async def test_an_unhomed_prefix_keeps_its_identifiers(self, store: Store) -> None:
        await insert(store, row("A", prefix=HOSTED))
        async with store.begin() as transaction:
            await transaction.count({HOSTED: 1})
            await transaction.unhome([HOSTED])
        assert await store.reads.counts() == {SECTOR: 0}
        async with store.begin() as transaction:
            await transaction.home([HOSTED])
        assert await store.reads.counts() == {SECTOR: 0, HOSTED: 1}
        assert await store.reads.record(HOSTED, "A") is not None

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            (0, []),
            (1, ["S-0"]),
            (5, ["S-0", "S-2", "S-4", "H-0", "H-2"]),
            (99, [*(f"S-{n}" for n in range(6)), *(f"H-{n}" for n in range(4))]),
        ],
    )
    async def test_a_sample_is_evenly_spread(
        self, store: Store, wanted: int, expected: list[str]
    ) -> None:
        rows = [row(f"S-{number}") for number in range(6)]
        rows += [row(f"H-{number}", prefix=HOSTED) for number in range(4)]
        await insert(store, *rows, row("ADMIN"), row("88", prefix="0.NA"))
        async with store.begin() as transaction:
            await transaction.count({SECTOR: 6, HOSTED: 4})
        assert [key.suffix for key in await store.reads.sample(wanted)] == expected

    async def test_a_sample_of_one_prefix(self, store: Store) -> None:
        await insert(store, row("S"), row("H", prefix=HOSTED))
        async with store.begin() as transaction:
            await transaction.count({SECTOR: 1, HOSTED: 1})
        assert await store.reads.sample(5, [HOSTED]) == [Key(HOSTED, "H")]
        assert await store.reads.sample(5, ["88.999"]) == []


class TestAccountsAndFacts:
    async def test_a_token_finds_its_principal(self, store: Store) -> None:
        issued = issue_account("op-901", Role.OPERATOR, SECTOR)
        async with store.begin() as transaction:
            await transaction.add_accounts([issued.account], [issued.app_key])
        expected = Principal("op-901", Role.OPERATOR, (SECTOR,))
        assert await authenticate(store.reads, issued.token, 0) == expected
        assert await authenticate(store.reads, issued.password, 0) is None

    async def test_facts_are_replaced(self, store: Store) -> None:
        for value in ("1", "2"):
            async with store.begin() as transaction:
                await transaction.set_fact("seeded", value)
        assert await store.reads.fact("seeded") == "2"
        assert await store.reads.fact("other") is None


class TestChangeFeed:
    async def test_subscribers_hear_of_commits_alone(self, store: Store) -> None:
        heard: list[tuple[Sequence[Key] | None, bool, bool]] = []

        async def note(keys: Sequence[Key] | None, homed_changed: bool) -> None:
            there = [await store.reads.row(*key) for key in keys or ()]
            heard.append((keys, homed_changed, None not in there))

        unsubscribe = store.subscribe(note)
        await insert(store, row("A"), row("B"))
        async with store.begin() as transaction:
            await transaction.home(["88.902"])
        async with store.begin():
            pass
        with pytest.raises(IntegrityError):
            await insert(store, row("C"), row("A"))
        unsubscribe()
        await insert(store, row("D"))
        keys = [Key(SECTOR, "A"), Key(SECTOR, "B")]
        assert heard == [(keys, False, True), ([], True, True)]

    async def test_a_failing_subscriber_harms_nobody(self, store: Store) -> None:
        heard: list[Sequence[Key]] = []

        def fail(_keys: Sequence[Key], _homed_changed: bool) -> None:
            raise ZeroDivisionError

        store.subscribe(fail)
        store.subscribe(lambda keys, _homed_changed: heard.append(keys))
        await insert(store, row("A"))
        assert heard == [[Key(SECTOR, "A")]]


async def test_a_restart_loses_nothing(store: Store, reopen: Reopen) -> None:
    issued = issue_account("op-901", Role.OPERATOR, SECTOR)
    async with store.begin() as transaction:
        await transaction.insert([row("A", b"\0" * 5000), row("B")])
        await transaction.count({SECTOR: 2})
        await transaction.add_accounts([issued.account], [issued.app_key])
        await transaction.set_fact("seeded", "2")
    again = await reopen()
    assert [found async for found in again.reads.scan(SECTOR)] == [row("A", b"\0" * 5000), row("B")]
    assert await again.reads.counts() == {SECTOR: 2, HOSTED: 0}
    assert await authenticate(again.reads, issued.token, 0) is not None
    assert await again.reads.fact("seeded") == "2"


# --- dossiers ---


async def test_dossiers_are_filed_replaced_and_discarded(store: Store) -> None:
    kinds = [issue_account(f"op-{n}", Role.AUDITOR, SECTOR).account for n in (3, 1, 2)]
    async with store.begin() as transaction:
        await transaction.file(kinds)
        assert await transaction.dossiers(Account, username="op-3") == [kinds[0]]
    by_name = sorted(kinds)
    assert await store.reads.dossiers(Account) == by_name
    assert await store.reads.dossiers(Account, prefix=SECTOR, role="operator") == []
    moved = by_name[0]._replace(prefix="88.901.7")
    async with store.begin() as transaction:
        await transaction.file([moved])
        await transaction.discard([by_name[1]])
    assert await store.reads.dossiers(Account) == [moved, by_name[2]]
    assert await store.reads.dossiers(Account, prefix="88.901.7") == [moved]


async def test_dossiers_come_page_by_page(store: Store) -> None:
    accounts = [issue_account(f"op-{n}", Role.AUDITOR, SECTOR).account for n in range(5)]
    async with store.begin() as transaction:
        await transaction.file(accounts)
    first = await store.reads.dossiers(Account, Page(limit=2))
    rest = await store.reads.dossiers(Account, Page((first[-1].username,), 9), prefix=SECTOR)
    assert [*first, *rest] == accounts


async def test_dossiers_of_a_failed_transaction_are_not_there(store: Store) -> None:
    account = issue_account("op-1", Role.AUDITOR, SECTOR).account

    async def fail() -> None:
        async with store.begin() as transaction:
            await transaction.file([account])
            raise NotFound()

    with pytest.raises(NotFound):
        await fail()
    assert await store.reads.dossiers(Account) == []
