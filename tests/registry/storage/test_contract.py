"""What every backend promises. A further one joins by a line in BACKENDS."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.exc import IntegrityError

from registry.accounts import Principal, Role, authenticate, issue_account
from registry.audit import START, Actor, Checkpoint, Entry, Event, Head, Note, Sealed, seal
from registry.schemes.handle import Key
from registry.storage.backends import open_store
from registry.storage.interface import (
    ACTIVE,
    Ended,
    KeptOutcome,
    Past,
    Row,
    Store,
    StoreNotUsable,
)

BACKENDS: dict[str, Callable[[Path], str]] = {
    "sqlite": lambda directory: f"sqlite:///{directory}/node.db",
}
SECTOR, HOSTED = "88.901", "88.901.7"

Reopen = Callable[[], Awaitable[Store]]


@pytest_asyncio.fixture(params=BACKENDS)
async def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Reopen]:
    """Opens the same store anew each time, closing the one opened before."""
    url = BACKENDS[request.param](tmp_path)
    opened: list[Store] = []

    async def close() -> None:
        while opened:
            await opened.pop().close()

    async def reopen() -> Store:
        await close()
        opened.append(await open_store(url))
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
        assert store.lookup.record(SECTOR, "A") == b"first"
        assert store.lookup.row(SECTOR, "A") == row("A", b"first")
        assert store.lookup.record(SECTOR, "B") is None
        assert store.lookup.record(HOSTED, "A") is None

    async def test_only_active_identifiers_resolve(self, store: Store) -> None:
        held = row("HELD", state=1)
        await insert(store, held)
        assert store.lookup.record(SECTOR, "HELD") is None
        assert store.lookup.row(SECTOR, "HELD") == held
        assert store.lookup.page(SECTOR) == []

    async def test_a_transaction_under_way_is_not_seen(self, store: Store) -> None:
        async with store.begin() as transaction:
            await transaction.insert([row("A")])
            assert store.lookup.record(SECTOR, "A") is None
            assert await transaction.rows([Key(SECTOR, "A")]) == {Key(SECTOR, "A"): row("A")}

    async def test_keys_are_told_apart_octet_by_octet(self, store: Store) -> None:
        suffixes = ["", "a", "A", "%", "_", "'", '"', "É", "é", "產品", "😀", "A/B", "A B", "A\\"]
        await insert(store, *(row(suffix, suffix.encode()) for suffix in suffixes))
        for suffix in suffixes:
            assert store.lookup.record(SECTOR, suffix) == suffix.encode()
        async with store.begin() as transaction:
            found = await transaction.rows([Key(SECTOR, suffix) for suffix in suffixes])
        assert {key.suffix for key in found} == set(suffixes)

    async def test_pages_follow_key_order_and_miss_nothing(self, store: Store) -> None:
        suffixes = ["", *(f"S-{number:03d}" for number in range(25)), "產"]
        shuffled = random.Random(1).sample(suffixes, len(suffixes))
        await insert(store, *map(row, shuffled), row("OTHER", prefix=HOSTED))
        assert [found.suffix for found in store.lookup.scan(SECTOR, page_size=4)] == suffixes
        assert store.lookup.page(SECTOR, after="S-003", limit=2) == [row("S-004"), row("S-005")]


class TestWriting:
    async def test_rows_are_updated_and_deleted(self, store: Store) -> None:
        await insert(store, row("A"), row("B"), row("C"))
        changed = row("A", b"second")._replace(version=2)
        async with store.begin() as transaction:
            await transaction.update([changed])
            await transaction.delete([Key(SECTOR, "B")])
        assert list(store.lookup.scan(SECTOR)) == [changed, row("C")]

    async def test_insert_missing_leaves_what_is_there(self, store: Store) -> None:
        await insert(store, row("A", b"first"))
        async with store.begin() as transaction:
            added = await transaction.insert_missing([row("A", b"other"), row("B"), row("C")])
        assert added == [row("B"), row("C")]
        assert store.lookup.record(SECTOR, "A") == b"first"

    async def test_an_exception_leaves_nothing_behind(self, store: Store) -> None:
        async def fail() -> None:
            async with store.begin() as transaction:
                await transaction.insert([row("A")])
                await transaction.home(["88.902"])
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        assert store.lookup.row(SECTOR, "A") is None
        assert store.lookup.homed_prefixes() == [SECTOR, HOSTED]

    async def test_writers_take_turns(self, store: Store) -> None:
        async def write(number: int) -> None:
            async with store.begin() as transaction:
                present = await transaction.rows([Key(SECTOR, "N")])
                await transaction.delete(list(present))
                count = int(present[Key(SECTOR, "N")].record) if present else 0
                await transaction.insert([row("N", str(count + number).encode())])

        await asyncio.gather(*map(write, range(1, 11)))
        assert store.lookup.record(SECTOR, "N") == b"55"

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
            halves = [store.lookup.row(SECTOR, f"{number}-{half}") for half in "AB"]
            assert (halves[0] is None) == (halves[1] is None)
        await insert(store, row("AFTER"))
        assert store.lookup.row(SECTOR, "AFTER") is not None


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
        assert store.lookup.versions(SECTOR, "A") == [
            Past(first, 1000, "op", 2000, "op"),
            Past(second, 2000, "op", None, None),
        ]
        assert store.lookup.versions(SECTOR, "B") == []
        assert store.lookup.has_history(SECTOR)
        assert not store.lookup.has_history(HOSTED)
        async with store.begin() as transaction:
            found = await transaction.last_versions([Key(SECTOR, "A"), Key(SECTOR, "B")])
        assert found == {Key(SECTOR, "A"): 1}

    async def test_the_state_of_an_identifier(self, store: Store) -> None:
        await insert(store, row("A"), row("HELD", state=2))
        found = [store.lookup.state(SECTOR, suffix) for suffix in ("A", "HELD", "NONE")]
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
        assert store.lookup.checkpoints("tea") == made[1:]
        assert len(store.lookup.checkpoints("cars")) == 1


class TestPrefixesAndCounts:
    async def test_prefixes_are_homed_once(self, store: Store) -> None:
        async with store.begin() as transaction:
            await transaction.count({SECTOR: 3})
            await transaction.home([SECTOR, "88.902", "88.902"])
        assert store.lookup.homed_prefixes() == [SECTOR, HOSTED, "88.902"]
        assert store.lookup.counts() == {SECTOR: 3, HOSTED: 0, "88.902": 0}

    async def test_an_unhomed_prefix_keeps_its_identifiers(self, store: Store) -> None:
        await insert(store, row("A", prefix=HOSTED))
        async with store.begin() as transaction:
            await transaction.count({HOSTED: 1})
            await transaction.unhome([HOSTED])
        assert store.lookup.counts() == {SECTOR: 0}
        async with store.begin() as transaction:
            await transaction.home([HOSTED])
        assert store.lookup.counts() == {SECTOR: 0, HOSTED: 1}
        assert store.lookup.record(HOSTED, "A") is not None

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
        assert [key.suffix for key in store.lookup.sample(wanted)] == expected

    async def test_a_sample_of_one_prefix(self, store: Store) -> None:
        await insert(store, row("S"), row("H", prefix=HOSTED))
        async with store.begin() as transaction:
            await transaction.count({SECTOR: 1, HOSTED: 1})
        assert store.lookup.sample(5, [HOSTED]) == [Key(HOSTED, "H")]
        assert store.lookup.sample(5, ["88.999"]) == []


class TestAccountsAndFacts:
    async def test_a_token_finds_its_principal(self, store: Store) -> None:
        issued = issue_account("op-901", Role.OPERATOR, SECTOR)
        async with store.begin() as transaction:
            await transaction.add_accounts([issued.account], [issued.app_key])
        expected = Principal("op-901", Role.OPERATOR, SECTOR)
        assert authenticate(store.lookup, issued.token) == expected
        assert authenticate(store.lookup, issued.password) is None

    async def test_facts_are_replaced(self, store: Store) -> None:
        for value in ("1", "2"):
            async with store.begin() as transaction:
                await transaction.set_fact("seeded", value)
        assert store.lookup.fact("seeded") == "2"
        assert store.lookup.fact("other") is None


class TestChangeFeed:
    async def test_subscribers_hear_of_commits_alone(self, store: Store) -> None:
        heard: list[tuple[list[Key], bool, bool]] = []

        def note(keys: Sequence[Key], homed_changed: bool) -> None:
            visible = all(store.lookup.row(*key) is not None for key in keys)
            heard.append((list(keys), homed_changed, visible))

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
    assert list(again.lookup.scan(SECTOR)) == [row("A", b"\0" * 5000), row("B")]
    assert again.lookup.counts() == {SECTOR: 2, HOSTED: 0}
    assert authenticate(again.lookup, issued.token) is not None
    assert again.lookup.fact("seeded") == "2"
