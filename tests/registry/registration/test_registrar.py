"""Group commit: what waits together is decided in order, written once and answered after that."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from registry.audit.accounting import check_rows
from registry.audit.log import Actor, verify
from registry.clock import ManualClock
from registry.errors import (
    AlreadyExists,
    Draining,
    IdempotencyMismatch,
    InvalidValue,
    NotFound,
    OutcomeUnknown,
    Overloaded,
    PrefixNotHomed,
    Refusal,
    StorageUnavailable,
)
from registry.registration.changes import (
    AddValues,
    Change,
    Create,
    Delete,
    PutValues,
    RemoveValues,
    decide,
)
from registry.registration.grouping import (
    Asked,
    Done,
    Once,
    Receipt,
    Stored,
    count_deltas,
    decide_group,
)
from registry.registration.registrar import BATCH_SIZE, Registrar
from registry.schemes.handle import Key
from registry.storage.backends import open_store
from registry.storage.books import SqlBooks, look_into
from registry.storage.interface import Row, Store, is_counted
from registry.values.value import Value, decode_record, encode_record
from tests.support.disk import full_disk
from tests.support.registering_writer import check_kept, killed_while_registering
from tests.support.statements import recorded_statements

SECTOR, HOSTED = "88.901", "88.901.7"
ACTOR = Actor("operator@88.901", "http 127.0.0.1")
URL = Value(1, b"URL", b"https://example.test/")


@asynccontextmanager
async def homing(url: str) -> AsyncIterator[Store]:
    store = await open_store(url)
    async with store.begin() as transaction:
        await transaction.home([SECTOR, HOSTED])
    yield store
    await store.close()


@asynccontextmanager
async def registering(store: Store) -> AsyncIterator[Registrar]:
    registrar = Registrar(store, ManualClock())
    await registrar.ledger.open()
    yield registrar
    await registrar.aclose()


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    async with homing(store_url) as store:
        yield store


@pytest_asyncio.fixture
async def registrar(store: Store) -> AsyncIterator[Registrar]:
    async with registering(store) as registrar:
        yield registrar


class File(NamedTuple):
    """A store in a file, of which the disk may be full."""

    store: Store
    registrar: Registrar
    url: str
    log: Path


@pytest_asyncio.fixture
async def file(tmp_path: Path) -> AsyncIterator[File]:
    path = tmp_path / "node.db"
    url = f"sqlite:///{path}"
    async with homing(url) as store, registering(store) as registrar:
        yield File(store, registrar, url, Path(f"{path}-wal"))


def writes(sent: list[str]) -> list[str]:
    """The statements among those sent that change something."""
    return [word for word in sent if word in ("INSERT", "UPDATE", "DELETE", "COMMIT")]


async def check_books(url: str) -> list[str]:
    """Hold a store against its audit log; the subjects of that."""

    def look(books: SqlBooks) -> list[str]:
        assert list(verify(books.entries(), [], lambda _: False)) == []
        assert list(check_rows(books)) == []
        return [entry.subject for entry, _ in books.entries()]

    return await look_into(url, look)


def create(suffix: str, prefix: str = SECTOR) -> Create:
    return Create(Key(prefix, suffix), [URL])


async def outcomes(registrar: Registrar, *changes: Change) -> list[Done | BaseException]:
    """What comes of changes that are submitted in one go."""
    return await asyncio.gather(
        *(registrar.submit(change, ACTOR) for change in changes), return_exceptions=True
    )


class TestSubmit:
    async def test_an_acknowledged_change_is_there(
        self, store: Store, registrar: Registrar
    ) -> None:
        done = await registrar.submit(create("A"), ACTOR)
        assert done.created
        assert done.after == await store.reads.row(SECTOR, "A")
        assert not (await registrar.submit(PutValues(Key(SECTOR, "A"), [URL]), ACTOR)).created
        assert (await registrar.submit(Delete(Key(SECTOR, "A")), ACTOR)).after is None
        assert await store.reads.row(SECTOR, "A") is None

    async def test_a_group_costs_one_commit(self, store: Store, registrar: Registrar) -> None:
        with recorded_statements() as sent:
            await outcomes(registrar, *(create(f"N-{number}") for number in range(100)))
        assert writes(sent) == ["INSERT", "UPDATE", "INSERT", "COMMIT"]
        assert len(sent) <= 9
        assert (await store.reads.counts())[SECTOR] == 100

    async def test_a_mixed_group_writes_each_kind_once(
        self, store: Store, registrar: Registrar
    ) -> None:
        await outcomes(registrar, *(create(f"N-{number}") for number in range(6)))
        changes: list[Change] = [create(f"M-{number}", HOSTED) for number in range(5)]
        changes += [PutValues(Key(SECTOR, f"N-{number}"), [URL]) for number in range(3)]
        changes += [Delete(Key(SECTOR, f"N-{number}")) for number in range(3, 6)]
        with recorded_statements() as sent:
            await outcomes(registrar, *changes)
        rows, counts, history, audit = ["INSERT", "UPDATE", "DELETE"], "UPDATE", "INSERT", "INSERT"
        assert writes(sent) == [*rows, counts, history, audit, "COMMIT"]
        assert len(sent) <= 12
        assert await store.reads.counts() == {SECTOR: 3, HOSTED: 5}

    async def test_changes_of_one_identifier_follow_each_other(
        self, store: Store, registrar: Registrar
    ) -> None:
        key = Key(SECTOR, "A")
        verdicts = await outcomes(
            registrar,
            create("A"),
            create("A"),
            AddValues(key, [Value(2, b"NOTE", b"")]),
            RemoveValues(key, [1]),
        )
        assert isinstance(verdicts[1], AlreadyExists)
        assert [isinstance(verdict, Done) for verdict in verdicts] == [True, False, True, True]
        row = await store.reads.row(SECTOR, "A")
        assert row is not None
        assert row.version == 3
        assert [value.index for value in decode_record(row.record)] == [2]

    async def test_a_refused_change_does_not_touch_its_neighbours(
        self, store: Store, registrar: Registrar
    ) -> None:
        verdicts = await outcomes(
            registrar,
            create("A"),
            Create(Key(SECTOR, "BAD"), [Value(0, b"URL", b"")]),
            Delete(Key(SECTOR, "NONE")),
            create("X", "88.902"),
            create("B"),
        )
        kinds = [type(verdict) for verdict in verdicts]
        assert kinds == [Done, InvalidValue, NotFound, PrefixNotHomed, Done]
        assert [row.suffix async for row in store.reads.scan(SECTOR)] == ["A", "B"]
        assert (await store.reads.counts())[SECTOR] == 2

    async def test_refusals_alone_write_nothing(self, store: Store, registrar: Registrar) -> None:
        with recorded_statements() as sent:
            await outcomes(registrar, Delete(Key(SECTOR, "NONE")))
        assert writes(sent) == ["COMMIT"]

    async def test_a_group_is_bounded(self, store: Store) -> None:
        registrar = Registrar(store, ManualClock(), group_size=10)
        with recorded_statements() as sent:
            await outcomes(registrar, *(create(f"N-{number}") for number in range(25)))
        assert sent.count("COMMIT") == 3
        await registrar.aclose()

    async def test_administrators_and_prefix_records_are_not_counted(
        self, store: Store, registrar: Registrar
    ) -> None:
        await outcomes(registrar, create("ADMIN"), create("88.901.9", "0.NA"))
        assert await store.reads.record("0.NA", "88.901.9") is not None
        assert await store.reads.record(SECTOR, "ADMIN") is not None
        assert await store.reads.counts() == {SECTOR: 0, HOSTED: 0}

    async def test_a_prefix_homed_a_moment_ago(self, store: Store, registrar: Registrar) -> None:
        async with store.begin() as transaction:
            await transaction.home(["88.902"])
        assert (await registrar.submit(create("A", "88.902"), ACTOR)).created
        async with store.begin() as transaction:
            await transaction.unhome(["88.902"])
        with pytest.raises(PrefixNotHomed):
            await registrar.submit(create("B", "88.902"), ACTOR)


class TestTrouble:
    async def test_a_cancelled_caller_does_not_break_the_group(
        self, store: Store, registrar: Registrar
    ) -> None:
        for turns in range(12):
            tasks = [
                asyncio.create_task(registrar.submit(create(f"{turns}-{number}"), ACTOR))
                for number in range(3)
            ]
            for _ in range(turns):
                await asyncio.sleep(0)
            tasks[1].cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            assert isinstance(ends[0], Done)
            assert isinstance(ends[2], Done)
        present = len([row async for row in store.reads.scan(SECTOR)])
        assert (await store.reads.counts())[SECTOR] == present

    async def test_a_full_queue_refuses_at_once(self, store: Store) -> None:
        registrar = Registrar(store, ManualClock(), queue_size=4)
        verdicts = await outcomes(registrar, *(create(f"N-{number}") for number in range(6)))
        assert [type(verdict) for verdict in verdicts] == [Done] * 4 + [Overloaded] * 2
        assert (await registrar.submit(create("AFTER"), ACTOR)).created
        await registrar.aclose()

    async def test_closing_settles_what_waits_and_takes_no_more(self, store: Store) -> None:
        registrar = Registrar(store, ManualClock(), group_size=2)
        waiting = [
            asyncio.create_task(registrar.submit(create(f"N-{number}"), ACTOR))
            for number in range(5)
        ]
        await asyncio.sleep(0)
        await registrar.aclose()
        assert all(task.result().created for task in waiting)
        with pytest.raises(Draining):
            await registrar.submit(create("LATE"), ACTOR)

    async def test_a_disk_that_fails_is_told_to_everybody_and_then_forgotten(
        self, file: File
    ) -> None:
        large = [Value(1, b"URL", b"x" * 30_000)]
        changes: list[Change] = [Create(Key(SECTOR, f"N-{number}"), large) for number in range(4)]
        with full_disk(file.log):
            verdicts = await outcomes(file.registrar, *changes, create("N-0"))
            assert {type(verdict) for verdict in verdicts} <= {OutcomeUnknown, StorageUnavailable}
            assert len(set(map(id, verdicts))) == 5
            assert await file.store.reads.record(SECTOR, "N-0") is None
        assert all(isinstance(end, Done) for end in await outcomes(file.registrar, *changes))


class TestOnce:
    async def test_a_repetition_gets_the_same_receipt(
        self, store: Store, registrar: Registrar
    ) -> None:
        once = Once(b"key", b"request")
        some = [registrar.submit_once(create("A"), ACTOR, once) for _ in range(3)]
        assert await asyncio.gather(*some) == [Receipt(True, 1)] * 3
        await registrar.submit(Delete(Key(SECTOR, "A")), ACTOR)
        assert await registrar.submit_once(create("A"), ACTOR, once) == Receipt(True, 1)
        assert await store.reads.row(SECTOR, "A") is None
        with pytest.raises(IdempotencyMismatch):
            await registrar.submit_once(create("A"), ACTOR, Once(b"key", b"other"))

    async def test_a_refusal_is_not_remembered(self, registrar: Registrar) -> None:
        once = Once(b"key", b"request")
        with pytest.raises(NotFound):
            await registrar.submit_once(Delete(Key(SECTOR, "A")), ACTOR, once)
        await registrar.submit(create("A"), ACTOR)
        receipt = await registrar.submit_once(Delete(Key(SECTOR, "A")), ACTOR, once)
        assert receipt == Receipt(False, None)

    async def test_an_unknown_outcome_is_found_out_by_asking_again(self, file: File) -> None:
        change = Create(Key(SECTOR, "A"), [Value(1, b"URL", b"x" * 200_000)])
        once = Once(b"key", b"request")
        failed = (OutcomeUnknown, StorageUnavailable)
        with full_disk(file.log), pytest.raises(failed):
            await file.registrar.submit_once(change, ACTOR, once)
        for _ in range(2):
            assert await file.registrar.submit_once(change, ACTOR, once) == Receipt(True, 1)
        assert await check_books(file.url) == ["88.901/A"]


class TestLoad:
    async def test_a_load_counts_what_is_new(self, store: Store, registrar: Registrar) -> None:
        record = encode_record([URL])
        suffixes = [f"B-{number:05d}" for number in range(BATCH_SIZE + 10)] + ["ADMIN"]
        await registrar.submit(create("B-00007"), ACTOR)
        records = ((suffix, record) for suffix in suffixes)
        with recorded_statements() as sent:
            assert await registrar.load(SECTOR, records, ACTOR) == BATCH_SIZE + 10
        assert sent.count("COMMIT") == 2
        assert (await store.reads.counts())[SECTOR] == BATCH_SIZE + 10
        assert await registrar.load(SECTOR, ((suffix, b"other") for suffix in suffixes), ACTOR) == 0
        assert await store.reads.record(SECTOR, "B-00007") != b"other"

    async def test_a_load_needs_a_homed_prefix(self, registrar: Registrar) -> None:
        with pytest.raises(PrefixNotHomed):
            await registrar.load("88.902", [("A", encode_record([URL]))], ACTOR)

    async def test_prefix_records_are_loaded_where_their_parent_is_homed(
        self, store: Store, registrar: Registrar
    ) -> None:
        record = encode_record([URL])
        assert (
            await registrar.load("0.NA", [("88.901.7", record), ("88.901.8", record)], ACTOR) == 2
        )
        with pytest.raises(PrefixNotHomed):
            await registrar.load("0.NA", [("88.901", record)], ACTOR)


keys = st.builds(Key, st.sampled_from([SECTOR, HOSTED, "0.NA"]), st.sampled_from(["A", "ADMIN"]))
values = st.lists(st.builds(Value, st.integers(0, 3), st.just(b"T") | st.just(b"U"), st.just(b"")))
changes = st.one_of(
    st.builds(Create, keys, values, st.booleans()),
    st.builds(PutValues, keys, values),
    st.builds(AddValues, keys, values),
    st.builds(RemoveValues, keys, st.lists(st.integers(0, 3))),
    st.builds(Delete, keys),
)


@given(st.lists(changes, max_size=12), st.integers(0, 12))
def test_grouping_changes_nothing(some: list[Change], cut: int) -> None:
    """One by one, in one group or in two: the rows and the counts end the same."""
    one_by_one: dict[Key, Row] = {}
    versions: dict[Key, int] = {}
    for change in some:
        with contextlib.suppress(Refusal):
            before = one_by_one.get(change.key)
            row = decide(change, before, 900, versions.get(change.key, 0))
            if before is not None:
                versions[change.key] = before.version
            one_by_one.pop(change.key, None)
            if row is not None:
                one_by_one[change.key] = row
    grouped: dict[Key, Row] = {}
    counted: dict[str, int] = {}
    ended: dict[Key, int] = {}
    for part in (some[:cut], some[cut:]):
        stored = Stored(grouped, ended)
        decided = decide_group(
            [Asked(change, ACTOR) for change in part], stored, 900, lambda _key: True
        )
        assert len(decided.verdicts) == len(part)
        for prefix, delta in count_deltas(grouped, decided.rows).items():
            counted[prefix] = counted.get(prefix, 0) + delta
        for done in decided.verdicts:
            if isinstance(done, Done) and done.before is not None:
                ended[done.before.key] = done.before.version
        merged = {**grouped, **decided.rows}
        grouped = {key: row for key, row in merged.items() if row is not None}
    assert grouped == one_by_one
    for prefix in (SECTOR, HOSTED, "0.NA"):
        there = sum(1 for key in grouped if key.prefix == prefix and is_counted(*key))
        assert counted.get(prefix, 0) == there


async def test_no_kill_loses_an_acknowledged_registration_or_leaves_half_of_one(
    store_url: str,
) -> None:
    acknowledged: set[str] = set()
    for attempt in range(10):
        acknowledged |= killed_while_registering(store_url, str(attempt), after=20 + 37 * attempt)
        store = await open_store(store_url)
        await check_kept(store, acknowledged)
        await store.close()
        await check_books(store_url)
