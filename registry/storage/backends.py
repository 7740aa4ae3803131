"""Which backend a database URL names. One that is not used is not imported."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from registry.errors import StorageUnavailable
from registry.storage.following import Followed, Follower
from registry.storage.interface import Reads, Store, StoreNotUsable

if TYPE_CHECKING:
    from registry.storage.postgres import PostgresStore


class Snapshots(NamedTuple):
    """An engine whose connections see all of a store as it is at their first statement.

    `failures` is what the driver raises besides SQLAlchemy's errors.
    """

    engine: AsyncEngine
    failures: tuple[type[Exception], ...] = ()


async def _open_sqlite(url: str, replica_url: str | None) -> Store:
    from registry.storage.sqlite import SqliteStore

    if replica_url is not None:
        raise StoreNotUsable(f"{url}: an SQLite store has no read replica")
    return await SqliteStore.open(sqlite_path(url))


async def _read_sqlite(url: str) -> Reads:
    from registry.storage.sqlite_lookup import SqliteReads, open_reader

    return SqliteReads(open_reader(sqlite_path(url)))


async def _follow_sqlite(url: str, replica_url: str | None) -> Followed:
    from registry.storage.sqlite_lookup import SqliteLookup, SqliteReads, open_reader

    reader = open_reader(sqlite_path(url))
    return Follower(SqliteLookup(reader), SqliteReads(reader))


def _snapshot_sqlite(url: str) -> Snapshots:
    from registry.storage.sqlite import snapshot_engine

    return Snapshots(snapshot_engine(sqlite_path(url)))


async def _open_postgres(url: str, replica_url: str | None) -> PostgresStore:
    _need_driver()
    from registry.storage.postgres import PostgresStore

    return await PostgresStore.open(url, replica_url)


async def _read_postgres(url: str) -> Reads:
    _need_driver()
    from registry.storage.postgres_lookup import PostgresReads

    return await PostgresReads.open(url)


def _snapshot_postgres(url: str) -> Snapshots:
    _need_driver()
    from registry.storage.postgres import snapshot_engine
    from registry.storage.postgres_connection import FAILURES

    return Snapshots(snapshot_engine(url), FAILURES)


class Backend(NamedTuple):
    """How stores of one kind are opened: with a read replica or without, beside a process that
    writes to it, to read only, and to read all of it at one moment."""

    open: Callable[[str, str | None], Awaitable[Store]]
    follow: Callable[[str, str | None], Awaitable[Followed]]
    read: Callable[[str], Awaitable[Reads]]
    snapshot: Callable[[str], Snapshots]


BACKENDS: Final = {
    "sqlite": Backend(_open_sqlite, _follow_sqlite, _read_sqlite, _snapshot_sqlite),
    "postgresql": Backend(_open_postgres, _open_postgres, _read_postgres, _snapshot_postgres),
}


def backend_name(url: str) -> str:
    """The name of the backend in BACKENDS. Raises StoreNotUsable for a URL that names none."""
    try:
        name = make_url(url).get_backend_name()
    except ArgumentError:
        raise StoreNotUsable(f"{url!r} is not a database URL") from None
    if name not in BACKENDS:
        raise StoreNotUsable(f"there is no store for {name!r}, only {', '.join(BACKENDS)}")
    return name


def shown(url: str) -> str:
    """The URL without its password, for messages."""
    return make_url(url).render_as_string()


def sqlite_path(url: str) -> Path:
    """The file that an SQLite URL names. Raises StoreNotUsable."""
    path = make_url(url).database
    if not path or path == ":memory:":
        raise StoreNotUsable(f"{url}: an SQLite store needs a file")
    return Path(path)


async def open_store(url: str, replica_url: str | None = None) -> Store:
    """The store that a URL such as `sqlite:///node.db` or `postgresql://host/name` names.

    `replica_url` names a read-only copy of it. Raises StoreNotUsable for a URL that names none,
    StorageUnavailable if it cannot be opened.
    """
    return await BACKENDS[backend_name(url)].open(url, replica_url)


async def open_followed(url: str, replica_url: str | None = None) -> Followed:
    """The store that a URL names, which another process of the node keeps open for writing.

    Raises what `open_store` raises.
    """
    return await BACKENDS[backend_name(url)].follow(url, replica_url)


async def open_reads(url: str) -> Reads:
    """The store that a URL names, to read only; raises what `open_store` raises."""
    return await BACKENDS[backend_name(url)].read(url)


@asynccontextmanager
async def open_snapshot(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection that sees all of a store as it was at one moment.

    Raises StoreNotUsable, StorageUnavailable.
    """
    engine, failures = BACKENDS[backend_name(url)].snapshot(url)
    try:
        async with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise StorageUnavailable(f"{shown(url)} cannot be read: {error.orig}") from error
    except failures as error:
        raise StorageUnavailable(f"{shown(url)} cannot be read: {error}") from error
    finally:
        await engine.dispose()


def _need_driver() -> None:
    try:
        import asyncpg  # noqa: F401
    except ImportError:
        raise StoreNotUsable(
            "a PostgreSQL store needs the driver: install idnode with its extra, idnode[postgres]"
        ) from None
