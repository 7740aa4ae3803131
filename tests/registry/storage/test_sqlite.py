"""The embedded backend: durable settings, its schema, and what happens when the disk fails."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine

from registry.errors import OutcomeUnknown, StorageUnavailable
from registry.registration.lifecycle import State
from registry.schemes.handle import Key
from registry.storage.backends import open_store
from registry.storage.interface import Row, StoreNotUsable
from registry.storage.migrations import HEAD
from registry.storage.schema import DERIVED, METADATA
from registry.storage.sqlite import SqliteStore, check_durable
from tests.support.disk import full_disk
from tests.support.statements import recorded_statements


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(tmp_path / "node.db")
    yield store
    await store.close()


@pytest.fixture
def wal(tmp_path: Path) -> Path:
    return tmp_path / "node.db-wal"


def rows(name: str, count: int) -> list[Row]:
    return [Row("88.901", f"{name}-{number}", b"x" * 4000, 0, 1, 1) for number in range(count)]


def size(file: Path) -> int:
    return file.stat().st_size


async def insert(store: SqliteStore, rows: Sequence[Row]) -> None:
    async with store.begin() as transaction:
        await transaction.insert(rows)


class TestDurability:
    async def test_every_writer_syncs_every_commit(self, store: SqliteStore) -> None:
        settings: list[object] = []

        def ask(connection: Connection) -> None:
            settings.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())
            settings.append(connection.exec_driver_sql("PRAGMA journal_mode").scalar())

        event.listen(Engine, "begin", ask)
        try:
            async with store.begin():
                pass
        finally:
            event.remove(Engine, "begin", ask)
        assert settings == [2, "wal"]

    @pytest.mark.parametrize(
        ("synchronous", "journal_mode"), [(0, "wal"), (1, "wal"), (2, "delete"), (2, "memory")]
    )
    def test_weaker_settings_are_refused(self, synchronous: int, journal_mode: str) -> None:
        with pytest.raises(StoreNotUsable, match="not be durable"):
            check_durable(synchronous, journal_mode)

    @pytest.mark.parametrize("synchronous", [2, 3])
    def test_full_and_stronger_are_accepted(self, synchronous: int) -> None:
        check_durable(synchronous, "wal")


class TestFailures:
    async def test_a_failed_commit_is_not_called_a_failure(
        self, store: SqliteStore, wal: Path
    ) -> None:
        heard: list[object] = []
        store.subscribe(lambda keys, _homed_changed: heard.append(keys))
        with full_disk(wal):
            with pytest.raises(OutcomeUnknown):
                await insert(store, rows("LOST", 50))
            # Resolution goes on while the disk refuses, and nobody was told of a change.
            assert store.lookup.row("88.901", "LOST-0") is None
            assert heard == []
        await insert(store, rows("KEPT", 50))
        assert len([row async for row in store.reads.scan("88.901")]) == 50

    async def test_the_writer_is_opened_anew_after_a_failure(
        self, store: SqliteStore, wal: Path
    ) -> None:
        opened: list[object] = []

        def note(connection: object, _record: object) -> None:
            opened.append(connection)

        event.listen(Engine, "connect", note)
        try:
            await insert(store, rows("A", 1))
            assert opened == []
            with full_disk(wal), pytest.raises(OutcomeUnknown):
                await insert(store, rows("LOST", 50))
            await insert(store, rows("B", 1))
        finally:
            event.remove(Engine, "connect", note)
        assert len(opened) == 1

    async def test_a_write_that_fails_before_the_commit_changed_nothing(
        self, store: SqliteStore, wal: Path
    ) -> None:
        # More pages than the cache holds: the WAL grows before the commit is asked for.
        many = rows("LOST", 3000)
        with (
            full_disk(wal),
            pytest.raises(StorageUnavailable),
        ):
            await insert(store, many)
        await insert(store, rows("KEPT", 3))
        assert len([row async for row in store.reads.scan("88.901")]) == 3

    async def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        path = tmp_path / "node.db"
        path.write_bytes(b"not a database at all" * 500)
        with pytest.raises(StorageUnavailable):
            await SqliteStore.open(path)

    async def test_a_directory_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(StorageUnavailable):
            await SqliteStore.open(tmp_path / "absent" / "node.db")

    async def test_reading_a_closed_store(self, store: SqliteStore) -> None:
        await store.close()
        with pytest.raises(StorageUnavailable):
            store.lookup.record("88.901", "A")
        with pytest.raises(StorageUnavailable):
            await store.reads.counts()


class TestSchema:
    async def test_migrations_make_the_tables_of_the_schema(
        self, store: SqliteStore, tmp_path: Path
    ) -> None:
        engine = create_engine(f"sqlite:///{tmp_path}/node.db")
        with engine.connect() as connection:
            context = MigrationContext.configure(
                connection,
                opts={"include_object": lambda _, name, *__: not name.startswith(DERIVED)},
            )
            assert compare_metadata(context, METADATA) == []
            assert context.get_current_revision() == HEAD
        engine.dispose()

    def test_head_is_the_newest_migration(self) -> None:
        import registry.storage.migrations as migrations

        scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
        assert scripts.get_heads() == [HEAD]

    async def test_a_current_store_opens_without_a_migration(
        self, store: SqliteStore, tmp_path: Path
    ) -> None:
        await store.close()
        with recorded_statements() as sent:
            again = await SqliteStore.open(tmp_path / "node.db")
        await again.close()
        assert sent == ["BEGIN", "COMMIT"]

    async def test_the_store_of_a_newer_program_is_left_alone(
        self, store: SqliteStore, tmp_path: Path
    ) -> None:
        await store.close()
        connection = sqlite3.connect(tmp_path / "node.db")
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
        connection.close()
        with pytest.raises(StoreNotUsable, match="9999"):
            await SqliteStore.open(tmp_path / "node.db")

    async def test_a_migration_that_fails_leaves_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "node.db"
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE node_facts (odd)")
        with pytest.raises(StorageUnavailable):
            await SqliteStore.open(path)
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        assert tables.fetchall() == [("node_facts",)]
        connection.execute("DROP TABLE node_facts")
        connection.close()
        await (await SqliteStore.open(path)).close()


def test_opening_a_current_store_does_not_load_alembic(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from registry.storage.sqlite import SqliteStore\n"
        "async def main():\n"
        "    store = await SqliteStore.open(Path(sys.argv[1]))\n"
        "    await store.close()\n"
        "asyncio.run(main())\n"
        "print('alembic' in sys.modules)\n"
    )
    command = [sys.executable, "-c", program, tmp_path / "node.db"]
    loaded = [subprocess.check_output(command, text=True).strip() for _ in range(2)]
    assert loaded == ["True", "False"]


async def test_a_long_reader_does_not_stop_checkpoints(store: SqliteStore, wal: Path) -> None:
    await insert(store, rows("A", 20))
    scan = store.reads.scan("88.901", page_size=5)
    await anext(scan)
    for number in range(10):
        await insert(store, rows(f"B-{number}", 1500))
    assert size(wal) < 40_000_000
    assert len([row async for row in scan]) == 19 + 15_000


class TestReadingTogether:
    """Records that are read beforehand are those that are read one by one."""

    @pytest.mark.parametrize("count", [0, 1, 2, 5, 17, 64, 65, 130])
    async def test_any_number(self, store: SqliteStore, count: int) -> None:
        kept_out = Row("88.901", "HELD", b"x", State.ON_HOLD, 1, 1)
        await insert(store, [*rows("A", 70), *rows("B", 30), kept_out])
        names = ["A-3", *(f"A-{number}" for number in range(count)), "HELD", "NONE", "A-3"]
        keys = [Key("88.901", name) for name in names[:count]] + [Key("88", "A-1")] * (count > 4)
        alone = [store.lookup.record(*key) for key in keys]
        with store.lookup.reading(keys):
            assert [store.lookup.record(*key) for key in keys] == alone
            assert store.lookup.record("88.901", "B-7") is not None, "nobody said so before"

    async def test_each_time_anew(self, store: SqliteStore) -> None:
        keys = [Key("88.901", f"A-{number}") for number in range(3)]
        with store.lookup.reading(keys):
            assert store.lookup.record(*keys[0]) is None
        await insert(store, rows("A", 3))
        assert store.lookup.record(*keys[0]) is not None
        with store.lookup.reading(keys):
            assert store.lookup.record(*keys[0]) is not None

    async def test_what_cannot_be_read_is_said_by_the_reads(self, store: SqliteStore) -> None:
        await store.close()
        keys = [Key("88.901", f"A-{number}") for number in range(3)]
        with store.lookup.reading(keys), pytest.raises(StorageUnavailable):
            store.lookup.record(*keys[0])


@pytest.mark.parametrize(
    "url", ["", "no url", "mysql://host/name", "sqlite://", "sqlite:///:memory:"]
)
async def test_a_url_that_names_no_store(url: str) -> None:
    with pytest.raises(StoreNotUsable):
        await open_store(url)
