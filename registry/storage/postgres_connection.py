"""Connections to PostgreSQL: addresses, settings that keep promises, what their failures mean."""

from __future__ import annotations

from typing import Final

import asyncpg
from sqlalchemy.engine import make_url

from registry.errors import StorageUnavailable
from registry.storage.backends import shown
from registry.storage.interface import StoreNotUsable

OLDEST_SERVER: Final = 150_000
_CONNECT_SECONDS: Final = 5.0
#: Longest time for one statement; a bulk commit takes a fraction of it.
_STATEMENT_SECONDS: Final = 30.0
#: Longest wait for the writer of another process.
_LOCK_TIMEOUT: Final = "5s"
#: `on` waits for the disk, `remote_apply` for that of the standbys too.
_DURABLE: Final = ("on", "remote_apply")
_SETTINGS: Final = {
    "application_name": "idnode",
    "lock_timeout": _LOCK_TIMEOUT,
    # Everything here goes by key. A planner without statistics (after a bulk load) would read whole
    # partitions now and then; and compiling such statements never pays.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
_STATE: Final = (
    "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),"
    " pg_is_in_recovery(), current_setting('fsync'), current_setting('full_page_writes'),"
    " current_setting('synchronous_commit')"
)

#: What a driver raises when the server, or the way to it, is at fault.
FAILURES: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


def address(url: str) -> str:
    """The URL as the driver takes it."""
    parsed = make_url(url).set(drivername="postgresql")
    return parsed.render_as_string(hide_password=False)


def unavailable(error: BaseException) -> StorageUnavailable:
    """What to say when the database does not answer as it should."""
    return StorageUnavailable(
        f"the database is not available: {str(error) or type(error).__name__}"
    )


async def connect(url: str, *, patient: bool = False) -> asyncpg.Connection:
    """A connection that reads; `patient` for statements that take as long as they take.

    Raises StorageUnavailable.
    """
    try:
        connection: asyncpg.Connection = await asyncpg.connect(
            address(url),
            timeout=_CONNECT_SECONDS,
            command_timeout=None if patient else _STATEMENT_SECONDS,
            server_settings=_SETTINGS,
        )
    except (*FAILURES, ValueError) as error:
        raise StorageUnavailable(f"{shown(url)} cannot be opened: {error}") from error
    return connection


async def connect_writer(url: str) -> asyncpg.Connection:
    """A connection whose commits survive a crash. Raises StoreNotUsable, StorageUnavailable."""
    connection = await connect(url)
    try:
        version, encoding, standby, fsync, full_pages, commit = await connection.fetchrow(_STATE)
        if commit not in _DURABLE:
            await connection.execute("SET synchronous_commit = on")
            commit = await connection.fetchval("SHOW synchronous_commit")
        check_server(version, encoding, standby)
        check_durable(fsync, full_pages, commit)
    except FAILURES as error:
        connection.terminate()
        raise unavailable(error) from error
    except BaseException:
        connection.terminate()
        raise
    return connection


def check_server(version: int, encoding: str, standby: bool) -> None:
    """Refuse servers on which the store cannot be what it promises."""
    if version < OLDEST_SERVER:
        raise StoreNotUsable(f"PostgreSQL 15 or newer is needed, not {version // 10_000}")
    if encoding != "UTF8":
        raise StoreNotUsable(f"the database must be in UTF8, not {encoding}")
    if standby:
        raise StoreNotUsable("the server is a standby: name the primary as the store")


def check_durable(fsync: str, full_page_writes: str, synchronous_commit: str) -> None:
    """Refuse settings under which a crash loses commits that were acknowledged."""
    if fsync != "on" or full_page_writes != "on" or synchronous_commit not in _DURABLE:
        raise StoreNotUsable(
            f"commits would not be durable: fsync {fsync}, full_page_writes {full_page_writes},"
            f" synchronous_commit {synchronous_commit}"
        )
