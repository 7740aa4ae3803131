"""Moving a store to another database, table by table, and proving that nothing was left behind.

The source is read at one moment, whatever is written to it meanwhile. All tables of the schema are
copied; a source that has others, or an older schema, is refused. What has arrived in the target is
durable batch by batch, in key order: a copy that was cut off goes on behind the last row. Until
both are proved equal a mark in the target keeps nodes from using it.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, Table, func, inspect, select, text, tuple_
from sqlalchemy import Row as SqlRow
from sqlalchemy.ext.asyncio import AsyncConnection

from registry.storage.migrations import HEAD
from registry.storage.schema import DERIVED, METADATA, NODE_FACTS, PARTITIONS
from registry.storage.sql import SqlStore, SqlTransaction

#: The fact of a store that is being copied into: what it is a copy of.
COPYING: Final = "copying"
#: Rows read and written at a time.
BATCH: Final = 2000

_REVISIONS: Final = "alembic_version"
#: What a database has besides the tables of the schema: how far it was migrated, and parts.
_BESIDES: Final = {_REVISIONS, *(f"identifiers_{part}" for part in range(PARTITIONS))}

#: Told after each batch: the table, and how many rows of it have been copied in this run.
Progress = Callable[[str, int], None]


class CopyRefused(Exception):  # noqa: N818 - it refuses, nothing malfunctioned
    """The target holds something else, or not the same: str() says what."""


class Part(NamedTuple):
    """All rows of a table, or of one prefix in it, and a SHA-256 over them in key order."""

    table: str
    prefix: str
    rows: int
    digest: str

    def __str__(self) -> str:
        return f"{self.table} {self.prefix}".rstrip()


async def copy(
    source: AsyncConnection, target: SqlStore, name: str, progress: Progress = lambda *_: None
) -> list[Part]:
    """Copy everything that `source`, a connection in a snapshot, sees; what both have now.

    `name` says what the source is: a copy that was cut off goes on only from the same one. Raises
    CopyRefused, and what the stores raise.
    """
    await source.run_sync(_check_schema)
    await _mark(target, name)
    for table in _tables():
        await _copy_table(source, target, table, progress)
    parts = [part async for part in parts_of(source)]
    facts = list(await source.execute(select(NODE_FACTS)))
    async with target.begin() as transaction:
        assert isinstance(transaction, SqlTransaction)
        there = [part async for part in parts_of(transaction.connection)]
        _compare(parts, there)
        await transaction.forget_fact(COPYING)
        await transaction.load(NODE_FACTS, facts)
    return parts


async def parts_of(connection: AsyncConnection) -> AsyncIterator[Part]:
    """What is stored, part by part; facts about the node are left out."""
    for table in _tables():
        async for part in _parts(connection, table):
            yield part


def _tables() -> list[Table]:
    return [table for table in METADATA.sorted_tables if table is not NODE_FACTS]


def _check_schema(source: Connection) -> None:
    """Raise CopyRefused for a source of which something would be left behind."""
    found = set(inspect(source).get_table_names())
    unknown = found - _BESIDES - METADATA.tables.keys()
    if strange := sorted(name for name in unknown if not name.startswith(DERIVED)):
        raise CopyRefused(f"the source has tables that are not known here: {', '.join(strange)}")
    revisions = text(f"SELECT version_num FROM {_REVISIONS}")
    revision = source.scalar(revisions) if _REVISIONS in found else None
    if revision != HEAD:
        raise CopyRefused(
            f"the source has schema {revision}, this program has {HEAD}: start the node once, which"
            " migrates it"
        )


async def _mark(target: SqlStore, name: str) -> None:
    """Say that the target is to be a copy. Raises CopyRefused if it is something else."""
    marked = await target.reads.fact(COPYING)
    if marked == name:
        return
    if marked is not None:
        raise CopyRefused(f"the target is an unfinished copy of {marked}, not of {name}")
    async with target.begin() as transaction:
        assert isinstance(transaction, SqlTransaction)
        for table in METADATA.sorted_tables:
            if await transaction.connection.scalar(select(func.count()).select_from(table)):
                raise CopyRefused(f"the target is not empty: there are rows in {table.name}")
        await transaction.set_fact(COPYING, name)


async def _copy_table(
    source: AsyncConnection, target: SqlStore, table: Table, progress: Progress
) -> None:
    async with target.begin() as transaction:
        assert isinstance(transaction, SqlTransaction)
        last = (await transaction.connection.execute(_last(table))).first()
    copied = 0
    async for rows in _pages(source, table, last):
        async with target.begin() as transaction:
            assert isinstance(transaction, SqlTransaction)
            await transaction.load(table, rows)
        copied += len(rows)
        progress(table.name, copied)


async def _pages(
    connection: AsyncConnection, table: Table, after: SqlRow[Any] | None = None
) -> AsyncIterator[Sequence[SqlRow[Any]]]:
    """All rows behind one, in key order."""
    while rows := (await connection.execute(_page(table, after))).all():
        yield rows
        after = rows[-1]


def _page(table: Table, after: SqlRow[Any] | None) -> Select[Any]:
    key = list(table.primary_key.columns)
    query = select(table).order_by(*key).limit(BATCH)
    if after is None:
        return query
    known = [getattr(after, column.name) for column in key]
    return query.where(tuple_(*key) > tuple_(*known))


def _last(table: Table) -> Select[Any]:
    key = [column.desc() for column in table.primary_key.columns]
    return select(table).order_by(*key).limit(1)


async def _parts(connection: AsyncConnection, table: Table) -> AsyncIterator[Part]:
    key = [column.name for column in table.primary_key.columns]
    by_prefix = key[0] == "prefix" and len(key) > 1
    encode = msgspec.msgpack.Encoder().encode
    prefix, count, digest = "", 0, hashlib.sha256()
    async for rows in _pages(connection, table):
        for name, group in groupby(rows, lambda row: row[0] if by_prefix else ""):
            if count and name != prefix:
                yield Part(table.name, prefix, count, digest.hexdigest())
                count, digest = 0, hashlib.sha256()
            prefix = name
            for row in group:
                digest.update(encode(tuple(row)))
                count += 1
    if count:
        yield Part(table.name, prefix, count, digest.hexdigest())


def _compare(parts: Sequence[Part], there: Sequence[Part]) -> None:
    found = {str(part): part for part in there}
    wrong = [str(part) for part in parts if found.pop(str(part), None) != part]
    if wrong or found:
        named = ", ".join([*wrong, *found][:5])
        raise CopyRefused(
            f"source and target differ in {len(wrong) + len(found)} parts ({named}): the source"
            " has changed since the copy was begun; empty the target and copy again"
        )
