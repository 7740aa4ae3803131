"""A store moved from one backend to the other: nothing is lost, nothing is half, all is proved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, MetaData, Table, select

from registry.accounts.account import issue_account
from registry.audit.accounting import check_rows
from registry.audit.log import Actor
from registry.authorisation import Role
from registry.clock import ManualClock
from registry.registration.changes import Create, Delete, PutValues
from registry.registration.grouping import Asked
from registry.registration.registrar import Registrar
from registry.schemes.handle import Key
from registry.storage.backends import open_snapshot, open_store
from registry.storage.books import look_into
from registry.storage.copying import BATCH, COPYING, CopyRefused, Part, copy, parts_of
from registry.storage.schema import METADATA, OCTETS
from registry.storage.sql import SqlStore, SqlTransaction
from registry.values.value import Value, encode_record

PREFIXES = ["0.NA", "88.901", "88.901.7"]
ACTOR = Actor("test", "test")
URL = Value(1, b"URL", b"https://example.test/")
MakeUrl = Callable[[], str]


@pytest.fixture(params=["sqlite", "postgresql"])
def new_source(request: pytest.FixtureRequest) -> MakeUrl:
    return _maker(request, "source")


@pytest.fixture(params=["sqlite", "postgresql"])
def new_target(request: pytest.FixtureRequest) -> MakeUrl:
    return _maker(request, "target")


def _maker(request: pytest.FixtureRequest, name: str) -> MakeUrl:
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_server").new_database
    numbers = count(1)
    directory = request.getfixturevalue("tmp_path")
    return lambda: f"sqlite:///{directory}/{name}-{next(numbers)}.db"


async def opened(url: str) -> SqlStore:
    store = await open_store(url)
    assert isinstance(store, SqlStore)
    return store


async def fill(url: str) -> None:
    """A store with a bit of everything in it."""
    store = await opened(url)
    registrar = Registrar(store, ManualClock())
    await registrar.home(PREFIXES, ACTOR)
    issued = issue_account("operator", Role.OPERATOR, "88.901")
    administrator = Asked(Create(Key("88.901", "ADMIN"), [URL]), ACTOR)
    await registrar.appoint([issued.account], [issued.app_key], [administrator])
    names = ["", "a", "A", "%", "É", "產品", "😀", *(f"N-{n:05d}" for n in range(BATCH + 100))]
    await registrar.load("88.901", ((name, encode_record([URL])) for name in names), ACTOR)
    for prefix in PREFIXES[1:]:
        key = Key(prefix, "CHANGED")
        await registrar.submit(Create(key, [URL]), ACTOR)
        await registrar.submit(PutValues(key, [URL]), ACTOR)
        await registrar.submit(Create(Key(prefix, "GONE"), [URL]), ACTOR)
        await registrar.submit(Delete(Key(prefix, "GONE")), ACTOR)
    async with store.begin() as transaction:
        await transaction.set_fact("seeded", "7")
    await registrar.aclose()
    await store.close()


async def copied(source: str, target: str, name: str = "source") -> list[Part]:
    store = await opened(target)
    try:
        async with open_snapshot(source) as connection:
            return await copy(connection, store, name)
    finally:
        await store.close()


async def parts(url: str) -> list[Part]:
    async with open_snapshot(url) as connection:
        return [part async for part in parts_of(connection)]


async def test_both_are_equal_afterwards(new_source: MakeUrl, new_target: MakeUrl) -> None:
    source, target = new_source(), new_target()
    await fill(source)
    proved = await copied(source, target)
    assert await parts(source) == await parts(target) == proved
    tables = {part.table for part in proved}
    assert {"identifiers", "identifier_history", "audit_log", "accounts", "tokens"} <= tables
    moved = await opened(target)
    assert await moved.reads.fact("seeded") == "7"
    assert await moved.reads.fact(COPYING) is None
    assert [past.row.version for past in await moved.reads.versions("88.901", "GONE")] == [1]
    # It goes on being a store: the audit log continues where it stood.
    registrar = Registrar(moved, ManualClock())
    assert (await registrar.submit(Create(Key("88.901", "NEW"), [URL]), ACTOR)).created
    await registrar.aclose()
    await moved.close()


async def test_what_is_written_meanwhile_is_in_it_as_a_whole_or_not(
    new_source: MakeUrl, tmp_path: Path
) -> None:
    """A backup of a store that is written to, whatever it is on."""
    source = new_source()
    await fill(source)
    store = await opened(source)
    registrar = Registrar(store, ManualClock())
    records = [(f"W-{number:03d}", encode_record([URL])) for number in range(200)]
    written = 0
    for _ in range(2):
        target, before = f"sqlite:///{tmp_path}/backup-{written}.db", written
        copying = asyncio.create_task(copied(source, target))
        while not copying.done():
            await registrar.load("88.901", [(f"{written}-{n}", r) for n, r in records], ACTOR)
            written += 1
        await copying
        backup = await opened(target)
        found = [row async for row in backup.reads.scan("88.901") if "-W-" in row.suffix]
        assert len(found) % len(records) == 0
        assert before <= len(found) // len(records) <= written
        assert await look_into(target, lambda books: [*check_rows(books)]) == []
        await backup.close()
    await registrar.aclose()
    await store.close()


def test_every_table_can_be_copied() -> None:
    for table in METADATA.sorted_tables:
        assert table.primary_key.columns, "rows are copied in key order"
        assert table.autoincrement_column is None, "a number counted by the target would begin anew"


class TestTablesOfLater:
    """A table that joins the schema is copied, one that is outside of it is not left behind."""

    @pytest.fixture
    def later(self) -> Iterator[Table]:
        table = Table(
            "later",
            METADATA,
            Column("name", OCTETS, primary_key=True),
            Column("number", BigInteger, primary_key=True, autoincrement=False),
            Column("kept", Boolean, nullable=False),
            Column("data", LargeBinary),
        )
        yield table
        METADATA.remove(table)

    ROWS = (("a", 1, True, None), ("a", 2, False, b""), ("é", -1, True, b"\0\1"))

    async def make(self, table: Table, url: str, rows: Sequence[tuple[Any, ...]] = ()) -> None:
        store = await opened(url)
        async with store.begin() as transaction:
            assert isinstance(transaction, SqlTransaction)
            await transaction.connection.run_sync(table.create)
            await transaction.load(table, rows)
        await store.close()

    async def test_it_is_copied(
        self, new_source: MakeUrl, new_target: MakeUrl, later: Table
    ) -> None:
        source, target = new_source(), new_target()
        await self.make(later, source, self.ROWS)
        await self.make(later, target)
        proved = await copied(source, target)
        assert [part.rows for part in proved if part.table == "later"] == [3]
        async with open_snapshot(target) as connection:
            there = await connection.execute(select(later).order_by(*later.primary_key))
            assert [tuple(row) for row in there] == list(self.ROWS)

    async def test_an_unknown_one_is_refused(
        self, new_source: MakeUrl, new_target: MakeUrl
    ) -> None:
        source, target = new_source(), new_target()
        await self.make(Table("odd", MetaData(), Column("a", OCTETS, primary_key=True)), source)
        with pytest.raises(CopyRefused, match="not known here: odd"):
            await copied(source, target)
        assert await parts(target) == []

    async def test_an_older_source_is_migrated_first(
        self, new_source: MakeUrl, new_target: MakeUrl
    ) -> None:
        source, target = new_source(), new_target()
        store = await opened(source)
        async with store.begin() as transaction:
            assert isinstance(transaction, SqlTransaction)
            older = "UPDATE alembic_version SET version_num = '0001'"
            await transaction.connection.exec_driver_sql(older)
        await store.close()
        with pytest.raises(CopyRefused, match="schema 0001"):
            await copied(source, target)


class TestCutOff:
    @pytest_asyncio.fixture
    async def source(self, tmp_path) -> AsyncIterator[str]:
        url = f"sqlite:///{tmp_path}/source.db"
        await fill(url)
        yield url

    async def test_a_copy_that_was_cut_off_is_finished(
        self, source: str, new_target: MakeUrl
    ) -> None:
        target = new_target()

        def cut(table: str, rows: int) -> None:
            if table == "identifiers":
                raise ZeroDivisionError

        store = await opened(target)
        async with open_snapshot(source) as connection:
            with pytest.raises(ZeroDivisionError):
                await copy(connection, store, "source", cut)
        assert await store.reads.fact(COPYING) == "source"
        await store.close()
        with pytest.raises(CopyRefused, match="of source, not of another"):
            await copied(source, target, "another")
        assert await copied(source, target) == await parts(source) == await parts(target)

    async def test_a_target_that_holds_something_is_left_alone(
        self, source: str, new_target: MakeUrl
    ) -> None:
        target = new_target()
        await fill(target)
        before = await parts(target)
        with pytest.raises(CopyRefused, match="not empty"):
            await copied(source, target)
        assert await parts(target) == before

    async def test_a_source_that_changed_meanwhile_is_found_out(
        self, source: str, new_target: MakeUrl
    ) -> None:
        target = new_target()
        store = await opened(target)
        writer = await opened(source)

        def cut(table: str, rows: int) -> None:
            if table == "prefix_statistics":
                raise ZeroDivisionError

        async with open_snapshot(source) as connection:
            with pytest.raises(ZeroDivisionError):
                await copy(connection, store, "source", cut)
        async with writer.begin() as transaction:
            await transaction.delete([Key("88.901", "A")])
        await writer.close()
        await store.close()
        with pytest.raises(CopyRefused, match=r"differ in 1 parts \(identifiers 88\.901\)"):
            await copied(source, target)
