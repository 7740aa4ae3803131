"""The backend to grow into: durable settings, its schema, other processes, failures, a standby."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import partial

import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from registry.audit.log import Actor
from registry.clock import SystemClock
from registry.errors import OutcomeUnknown, StorageUnavailable
from registry.registration.changes import Create
from registry.registration.registrar import Registrar
from registry.schemes.handle import Key
from registry.storage import gathering, postgres_connection, postgres_lookup
from registry.storage.backends import open_reads, open_store
from registry.storage.change_feed import ChangeFeed
from registry.storage.interface import MustWait, Row, Store, StoreNotUsable
from registry.storage.migrations import HEAD
from registry.storage.postgres import PostgresStore
from registry.storage.postgres_connection import check_durable, check_server, connect_writer
from registry.storage.postgres_feed import decode_news, encode_news
from registry.storage.postgres_replica import Arrivals, Replica
from registry.storage.schema import DERIVED, METADATA, PARTITIONS
from tests.support import postgres
from tests.support.postgres import PATIENCE, Server
from tests.support.registering_writer import check_kept, values

PREFIX = "88.901"
#: Seconds within which another process has dropped what changed.
SOON = 0.05


@pytest.fixture
def url(postgres_server: Server) -> str:
    return postgres_server.new_database()


@pytest_asyncio.fixture
async def store(url: str) -> AsyncIterator[PostgresStore]:
    store = await PostgresStore.open(url)
    async with store.begin() as transaction:
        await transaction.home([PREFIX])
    yield store
    await store.close()


def row(suffix: str, record: bytes = b"\0\0\0\0") -> Row:
    return Row(PREFIX, suffix, record, 0, 1, 1)


async def insert(store: Store, *rows: Row) -> None:
    async with store.begin() as transaction:
        await transaction.insert(rows)


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so, asking again and again."""
    async with asyncio.timeout(PATIENCE):
        while not await true():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


async def is_writable(store: Store) -> bool:
    """Whether the store takes a row, named AFTER."""
    try:
        await insert(store, row("AFTER"))
    except StorageUnavailable:
        return False
    return True


async def is_readable(store: Store) -> bool:
    try:
        return await store.reads.record(PREFIX, "A") is not None
    except StorageUnavailable:
        return False


async def _is(true: object) -> bool:
    return bool(true)


@pytest.fixture(scope="module")
def lone_server(postgres_server: Server) -> Iterator[Server]:
    """A server that nothing else is disturbed by."""
    with postgres.running() as server:
        yield server


class TestDurability:
    @pytest.mark.parametrize(
        ("fsync", "full_page_writes", "commit"),
        [("off", "on", "on"), ("on", "off", "on"), ("on", "on", "off"), ("on", "on", "local")],
    )
    def test_weaker_settings_are_refused(self, fsync, full_page_writes, commit) -> None:
        with pytest.raises(StoreNotUsable, match="not be durable"):
            check_durable(fsync, full_page_writes, commit)

    def test_stronger_settings_are_accepted(self) -> None:
        check_durable("on", "on", "on")
        check_durable("on", "on", "remote_apply")

    @pytest.mark.parametrize(
        ("version", "encoding", "standby", "reason"),
        [
            (140_012, "UTF8", False, "15 or newer"),
            (150_000, "LATIN1", False, "UTF8"),
            (150_000, "UTF8", True, "standby"),
        ],
    )
    def test_servers_that_will_not_do(self, version, encoding, standby, reason) -> None:
        with pytest.raises(StoreNotUsable, match=reason):
            check_server(version, encoding, standby)

    async def test_a_database_that_does_not_sync_commits_is_made_to(
        self, postgres_server: Server, url: str
    ) -> None:
        name = url.rpartition("/")[2]
        postgres_server.run(f"ALTER DATABASE {name} SET synchronous_commit = off")
        store = await PostgresStore.open(url)
        await store.close()
        connection = await connect_writer(url)
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
        await connection.close()


class TestSchema:
    async def test_migrations_make_the_tables_of_the_schema(self, store: PostgresStore, url: str):
        beside = ("identifiers_", *DERIVED)

        def compare(connection: Connection) -> None:
            context = MigrationContext.configure(
                connection,
                opts={"include_object": lambda _, name, *__: not name.startswith(beside)},
            )
            assert compare_metadata(context, METADATA) == []
            assert context.get_current_revision() == HEAD

        engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
        async with engine.connect() as connection:
            await connection.run_sync(compare)
        await engine.dispose()

    async def test_prefixes_are_spread_over_partitions(
        self, store: PostgresStore, url: str, postgres_server: Server
    ) -> None:
        await insert(store, *(Row(f"88.{n}", "A", b"", 0, 1, 1) for n in range(100, 300)))
        query = "SELECT count(DISTINCT tableoid) FROM identifiers"
        assert postgres_server.run(query, url.rpartition("/")[2]) == str(PARTITIONS)

    async def test_of_processes_that_start_at_once_one_migrates(self, url: str) -> None:
        stores = await asyncio.gather(*(PostgresStore.open(url) for _ in range(4)))
        await asyncio.gather(*(store.close() for store in stores))

    async def test_the_store_of_a_newer_program_is_left_alone(
        self, store: PostgresStore, url: str, postgres_server: Server
    ) -> None:
        statement = "UPDATE alembic_version SET version_num = '9999'"
        postgres_server.run(statement, url.rpartition("/")[2])
        with pytest.raises(StoreNotUsable, match="9999"):
            await PostgresStore.open(url)


class TestAddresses:
    async def test_a_server_that_is_not_there(self, postgres_server: Server) -> None:
        with pytest.raises(StorageUnavailable, match="absent"):
            await open_store(postgres_server.url("absent"))
        with pytest.raises(StorageUnavailable) as caught:
            await open_store("postgresql://me:secret@127.0.0.1:1/node")
        assert "secret" not in str(caught.value)

    async def test_a_replica_is_for_postgresql(self, tmp_path, url: str) -> None:
        with pytest.raises(StoreNotUsable, match="replica"):
            await open_store(f"sqlite:///{tmp_path}/node.db", url)


class TestOtherProcesses:
    """Two stores on one database stand for two processes: they share nothing else."""

    @pytest_asyncio.fixture
    async def other(self, store: PostgresStore, url: str) -> AsyncIterator[PostgresStore]:
        other = await PostgresStore.open(url)
        yield other
        await other.close()

    async def test_changes_are_heard_of_soon(
        self, store: PostgresStore, other: PostgresStore
    ) -> None:
        heard: asyncio.Queue[tuple[Sequence[Key] | None, bool, float]] = asyncio.Queue()
        other.subscribe(lambda keys, homed: heard.put_nowait((keys, homed, time.perf_counter())))
        waits = []
        for number in range(20):
            await insert(store, row(f"N-{number}"))
            committed = time.perf_counter()
            keys, homed, then = await asyncio.wait_for(heard.get(), PATIENCE)
            assert (keys, homed) == ([Key(PREFIX, f"N-{number}")], False)
            waits.append(then - committed)
        assert sorted(waits)[10] < SOON
        await insert(store, *(row(f"MANY-{number}") for number in range(1000)))
        assert (await asyncio.wait_for(heard.get(), PATIENCE))[:2] == (None, False)
        async with store.begin() as transaction:
            await transaction.home(["88.902"])
        assert (await asyncio.wait_for(heard.get(), PATIENCE))[:2] == ([], True)

    async def test_a_process_does_not_hear_itself_twice(
        self, store: PostgresStore, other: PostgresStore
    ) -> None:
        heard: list[Sequence[Key] | None] = []
        store.subscribe(lambda keys, _: heard.append(keys))
        told = asyncio.Event()
        await insert(store, row("A"))
        store.subscribe(lambda keys, _: told.set())
        await insert(other, row("B"))
        await asyncio.wait_for(told.wait(), PATIENCE)
        assert heard == [[Key(PREFIX, "A")], [Key(PREFIX, "B")]]

    async def test_who_was_cut_off_takes_everything_for_changed(
        self, store: PostgresStore, other: PostgresStore, url: str, postgres_server: Server
    ) -> None:
        heard: asyncio.Queue[tuple[Sequence[Key] | None, bool]] = asyncio.Queue()
        other.subscribe(lambda keys, homed: heard.put_nowait((keys, homed)))
        postgres_server.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{url.rpartition('/')[2]}' AND query LIKE 'LISTEN%'"
        )
        assert await asyncio.wait_for(heard.get(), PATIENCE) == (None, True)
        await insert(store, row("A"))
        assert await asyncio.wait_for(heard.get(), PATIENCE) == ([Key(PREFIX, "A")], False)

    async def test_writers_of_two_processes_take_turns(
        self, store: PostgresStore, other: PostgresStore
    ) -> None:
        async def add(one: PostgresStore, number: int) -> None:
            async with one.begin() as transaction:
                present = await transaction.rows([Key(PREFIX, "N")])
                await transaction.delete(list(present))
                count = int(present[Key(PREFIX, "N")].record) if present else 0
                await transaction.insert([row("N", str(count + number).encode())])

        stores = (store, other)
        await asyncio.gather(*(add(stores[n % 2], n) for n in range(1, 11)))
        assert await store.reads.record(PREFIX, "N") == b"55"

    async def test_a_decision_does_not_rest_on_what_has_changed_meanwhile(
        self, store: PostgresStore
    ) -> None:
        await insert(store, row("A", b"old"), row("B", b"B"))
        seen: list[bytes | None] = []

        def decide() -> bytes | None:
            seen.append(store.lookup.record(PREFIX, "A"))
            store.lookup.record(PREFIX, "B")
            return seen[-1]

        gathering = asyncio.create_task(store.gather(decide))
        await until(lambda: _is(seen))
        async with store.begin() as transaction:
            await transaction.update([row("A", b"new")])
        later = await store.gather(decide)
        assert later == b"new"
        assert await gathering in (b"old", b"new")


class TestKeptRows:
    """What was read lately is answered at once, until it changes."""

    async def test_they_go_when_they_change(self, store: PostgresStore) -> None:
        def read() -> bytes | None:
            return store.lookup.record(PREFIX, "A")

        for record in (None, b"1", b"2"):
            if record is not None:
                async with store.begin() as transaction:
                    await transaction.delete([Key(PREFIX, "A")])
                    await transaction.insert([row("A", record)])
            with pytest.raises(MustWait):
                read()
            assert await store.gather(read) == record
            assert read() == record

    async def test_no_change_is_decided_on_them(self, store: PostgresStore, url: str) -> None:
        await insert(store, row("A", b"old"))
        read = partial(store.lookup.record, PREFIX, "A")
        await store.gather(read)
        # Written past the program: no news of it comes.
        connection = await connect_writer(url)
        await connection.execute("UPDATE identifiers SET record = 'new'")
        await connection.close()
        assert read() == b"old"
        assert await store.gather(read, for_change=True) == b"new"
        assert await store.gather(read) == b"new"

    async def test_they_are_bounded(
        self, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(gathering, "_MOST_ROWS", 2)
        for suffix in ("A", "B", "C"):
            await store.gather(partial(store.lookup.row, PREFIX, suffix))
        with pytest.raises(MustWait):
            store.lookup.row(PREFIX, "A")
        assert store.lookup.row(PREFIX, "C") is None
        await insert(store, row("LARGE", bytes(100_000)))
        for _ in range(2):
            with pytest.raises(MustWait):
                store.lookup.row(PREFIX, "LARGE")
            await store.gather(partial(store.lookup.row, PREFIX, "LARGE"))


class TestFailures:
    async def test_a_crash_of_the_server_is_told_and_survived(self, lone_server: Server) -> None:
        url = lone_server.new_database()
        store = await PostgresStore.open(url)
        async with store.begin() as transaction:
            await transaction.home([PREFIX])
        registrar = Registrar(store, SystemClock())
        acknowledged: set[str] = set()
        failures: list[Exception] = []

        async def register(number: int) -> None:
            for count in range(1000):
                suffix = f"{number}-{count}"
                change = Create(Key(PREFIX, suffix), values(suffix))
                try:
                    await registrar.submit(change, Actor("test", "test"))
                except (StorageUnavailable, OutcomeUnknown) as failure:
                    failures.append(failure)
                    return
                acknowledged.add(suffix)

        registering = asyncio.gather(*map(register, range(8)))
        await until(lambda: _is(len(acknowledged) >= 100))
        await asyncio.to_thread(lone_server.crash, url.rpartition("/")[2])
        await registering
        assert len(failures) == 8

        await until(partial(is_writable, store))
        async with store.begin() as transaction:
            await transaction.delete([Key(PREFIX, "AFTER")])
        await check_kept(store, acknowledged)
        await registrar.aclose()
        await store.close()

    async def test_reading_while_the_server_hangs_up(
        self, store: PostgresStore, url: str, postgres_server: Server
    ) -> None:
        await insert(store, row("A"))
        postgres_server.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{url.rpartition('/')[2]}'"
        )
        await until(partial(is_readable, store))
        await until(partial(is_writable, store))

    async def test_who_resolves_does_not_wait_for_a_server_that_hangs(
        self, lone_server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(postgres_lookup, "_POINT_SECONDS", 0.2)
        store = await PostgresStore.open(lone_server.new_database())
        await insert(store, row("A"))
        read = partial(store.lookup.row, PREFIX, "A")
        with lone_server.hanging():
            for _ in range(10):
                with pytest.raises(StorageUnavailable):
                    await asyncio.wait_for(store.gather(read), PATIENCE)
        await until(partial(is_readable, store))
        await until(partial(is_writable, store))
        await store.close()

    async def test_a_change_on_a_server_that_hangs_has_an_end(
        self, lone_server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(postgres_connection, "_STATEMENT_SECONDS", 1.0)
        store = await PostgresStore.open(lone_server.new_database())
        registrar = Registrar(store, SystemClock())
        await registrar.home([PREFIX], Actor("test", "test"))

        async def create(suffix: str) -> None:
            change = Create(Key(PREFIX, suffix), values(suffix))
            await asyncio.wait_for(registrar.submit(change, Actor("test", "test")), PATIENCE)

        await create("BEFORE")
        with lone_server.hanging(), pytest.raises((StorageUnavailable, OutcomeUnknown)):
            await create("DURING")
        await until(partial(is_writable, store))
        await create("LATER")
        found = {each.suffix async for each in store.reads.scan(PREFIX)}
        assert {"BEFORE", "LATER"} <= found
        await registrar.aclose()
        await store.close()

    async def test_reading_a_closed_store(self, url: str) -> None:
        store = await PostgresStore.open(url)
        await store.close()
        with pytest.raises(StorageUnavailable):
            await store.reads.counts()
        with pytest.raises(StorageUnavailable):
            await store.reads.record(PREFIX, "A")


class TestReplica:
    @pytest.fixture
    def standby(self, lone_server: Server) -> Iterator[Server]:
        with lone_server.standby() as standby:
            yield standby

    async def test_a_standby_is_read_where_it_is_up_to_date(
        self, lone_server: Server, standby: Server
    ) -> None:
        url = lone_server.new_database()
        name = url.rpartition("/")[2]
        primary = await PostgresStore.open(url)
        await insert(primary, row("OLD", b"1"))
        await until(lambda: has_arrived(standby, name))
        replica = await Replica.open(standby.url(name), primary.reads, ChangeFeed())

        async def read_there() -> bool:
            before = replica.reads
            assert await replica.row(Key(PREFIX, "OLD")) == row("OLD", b"1")
            return replica.reads > before

        await until(read_there)
        await replica.close()
        await primary.close()

    async def test_a_standby_that_lags_shows_nothing_old(
        self, lone_server: Server, standby: Server
    ) -> None:
        url = lone_server.new_database()
        name = url.rpartition("/")[2]
        primary = await PostgresStore.open(url)
        await insert(primary, row("OLD", b"1"))
        await until(lambda: has_arrived(standby, name))
        store = await PostgresStore.open(url, standby.url(name))

        async def record() -> bytes | None:
            return await store.gather(lambda: store.lookup.record(PREFIX, "OLD"))

        assert await record() == b"1"
        await asyncio.to_thread(standby.run, "SELECT pg_wal_replay_pause()", name)
        for writer in (store, store, primary):
            changed = row("OLD", (await record() or b"") + b"1")
            heard = asyncio.Event()
            end = store.subscribe(lambda *_, heard=heard: heard.set())
            async with writer.begin() as transaction:
                await transaction.update([changed])
            await asyncio.wait_for(heard.wait(), PATIENCE)
            end()
            assert await record() == changed.record
        with pytest.raises(StoreNotUsable, match="standby"):
            await PostgresStore.open(standby.url(name))
        await asyncio.to_thread(standby.stop)
        assert await record() == b"1111"
        await store.close()
        await primary.close()


async def has_arrived(standby: Server, name: str) -> bool:
    try:
        reads = await open_reads(standby.url(name))
    except StorageUnavailable:
        return False
    try:
        return await reads.row(PREFIX, "OLD") is not None
    except StorageUnavailable:
        return False
    finally:
        await reads.close()


class TestNews:
    keys = st.lists(st.builds(Key, st.text(max_size=20), st.text(max_size=300)), max_size=40)

    @given(keys, st.booleans())
    def test_news_are_told_whole_or_as_many(self, keys: list[Key], homed: bool) -> None:
        text = encode_news("me", keys, homed)
        assert len(text.encode()) < 8000
        news = decode_news(text)
        assert (news.origin, news.homed_changed) == ("me", homed)
        assert news.keys is None or [Key(*key) for key in news.keys] == keys

    @given(st.text())
    def test_what_cannot_be_read_is_taken_for_the_worst(self, text: str) -> None:
        news = decode_news(text)
        assert news.keys is None or isinstance(news.origin, str)


class TestArrivals:
    A, B = Key(PREFIX, "A"), Key(PREFIX, "B")

    def test_nothing_is_known_at_first(self) -> None:
        arrivals = Arrivals()
        assert not arrivals.has(self.A)
        arrivals.confirm(1.0)
        assert arrivals.has(self.A)

    def test_what_changed_arrives_with_a_later_mark(self) -> None:
        arrivals = Arrivals()
        arrivals.confirm(1.0)
        arrivals.changed([self.A], 2.0)
        arrivals.changed([self.B], 3.0)
        arrivals.changed([self.A], 4.0)
        arrivals.confirm(3.5)
        assert (arrivals.has(self.A), arrivals.has(self.B)) == (False, True)
        arrivals.confirm(4.5)
        assert arrivals.has(self.A)

    def test_anything_may_have_changed(self) -> None:
        arrivals = Arrivals()
        arrivals.confirm(1.0)
        arrivals.changed(None, 2.0)
        arrivals.lost()
        arrivals.confirm(1.5)
        assert not arrivals.has(self.A)
        arrivals.confirm(2.5)
        assert arrivals.has(self.A)

    def test_more_than_can_be_remembered(self) -> None:
        arrivals = Arrivals()
        arrivals.confirm(1.0)
        arrivals.changed([Key(PREFIX, str(number)) for number in range(100_001)], 2.0)
        assert not arrivals.has(self.A)
        arrivals.confirm(3.0)
        assert arrivals.has(Key(PREFIX, "1"))
