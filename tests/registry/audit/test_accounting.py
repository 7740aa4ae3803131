"""Whatever is done to a store or its log behind the program's back shows."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import ColumnElement, Update, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from registry.audit.accounting import check_rows
from registry.audit.log import Actor, Checkpoint, Fault, Head, verify
from registry.audit.witness import holds, sign
from registry.clock import ManualClock
from registry.registration.changes import Create, Delete, Move, PutValues, Reserve
from registry.registration.lifecycle import Operation
from registry.registration.registrar import Registrar
from registry.schemes.handle import Key
from registry.storage.backends import backend_name, open_snapshot, open_store
from registry.storage.books import SqlBooks, look_into
from registry.storage.copying import copy
from registry.storage.schema import AUDIT_LOG, IDENTIFIER_HISTORY, IDENTIFIERS
from registry.storage.sql import SqlStore, SqlTransaction
from registry.values.value import Value, encode_record

ACTOR = Actor("operator@88.901", "http 127.0.0.1")
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key(suffix: str) -> Key:
    return Key("88.901", suffix)


def value(text: str) -> Value:
    return Value(1, b"NOTE", text.encode())


async def opened(url: str) -> SqlStore:
    store = await open_store(url)
    assert isinstance(store, SqlStore)
    return store


async def change(url: str, tamper: Callable[[AsyncConnection], Awaitable[None]]) -> None:
    """Do something to a store behind the program's back."""
    store = await opened(url)
    async with store.begin() as transaction:
        assert isinstance(transaction, SqlTransaction)
        await tamper(transaction.connection)
    await store.close()


@pytest_asyncio.fixture
async def made(store_url: str) -> tuple[str, Checkpoint]:
    """A store in which something of every kind has happened, and a checkpoint of its log."""
    store = await opened(store_url)
    clock = ManualClock()
    registrar = Registrar(store, clock)
    await registrar.home(["88.901"], ACTOR)
    for suffix in "ABCD":
        await registrar.submit(Create(key(suffix), [value(suffix)]), ACTOR)
    rows = [
        (f"L-{n}", encode_record([value(str(n))])) for n in random.Random(1).sample(range(9), 9)
    ]
    await registrar.load("88.901", rows, ACTOR)
    changes = [PutValues(key("A"), [value("a")]), Delete(key("B")), Create(key("B"), [value("b")])]
    changes += [Reserve(key("R")), Create(key("R"), [value("r")]), Reserve(key("S"))]
    changes += [Move(key("C"), Operation.HOLD), Move(key("D"), Operation.REVOKE)]
    changes += [PutValues(key("L-3"), [value("changed")]), Delete(key("L-4"))]
    await asyncio.gather(*(registrar.submit(change, ACTOR) for change in changes))
    clock.advance(5)
    await registrar.load("88.901", [rows[0], ("L-4", rows[0][1])], ACTOR)
    head = registrar.ledger.head
    assert head is not None
    await registrar.aclose()
    await store.close()
    return store_url, sign(Checkpoint("baijiu", *head, 5), KEY)


async def found(url: str, *checkpoints: Checkpoint) -> set[Fault]:
    def look(books: SqlBooks) -> set[Fault]:
        log = verify(books.entries(), checkpoints, lambda each: holds(each, KEY.public_key()))
        return {finding.fault for finding in [*log, *check_rows(books)]}

    return await look_into(url, look)


async def test_an_honest_store_is_whole(made: tuple[str, Checkpoint]) -> None:
    assert await found(*made) == set()


#: How the backends write four octets of zero, which stand below as ZERO.
ZERO = {"sqlite": "x'00000000'", "postgresql": "'\\x00000000'::bytea"}
#: What somebody with the database in hands may do, and what of it is seen.
TAMPERING: dict[str, tuple[str, Fault]] = {
    "an entry changed": ("UPDATE audit_log SET actor = 'nobody' WHERE sequence = 4", Fault.BROKEN),
    "an entry removed": ("DELETE FROM audit_log WHERE sequence = 4", Fault.GAP),
    "the last entry removed": (
        "DELETE FROM audit_log WHERE sequence = (SELECT max(sequence) FROM audit_log)",
        Fault.CUT,
    ),
    "entries swapped": (
        "UPDATE audit_log SET sequence = CASE sequence WHEN 3 THEN -4 ELSE -3 END"
        " WHERE sequence IN (3, 4);"
        "UPDATE audit_log SET sequence = -sequence WHERE sequence < 0",
        Fault.BROKEN,
    ),
    "an entry inserted": (
        "INSERT INTO audit_log SELECT 1000 + sequence, time, event, actor, origin, subject, before,"
        " after, size, hash, scope FROM audit_log WHERE sequence = 3",
        Fault.GAP,
    ),
    "the log emptied": ("DELETE FROM audit_log", Fault.CUT),
    "a record changed": (
        "UPDATE identifiers SET record = ZERO WHERE suffix = 'A'",
        Fault.ROWS,
    ),
    "a record of a batch changed": (
        "UPDATE identifiers SET record = ZERO WHERE suffix = 'L-7'",
        Fault.ROWS,
    ),
    "an identifier removed": ("DELETE FROM identifiers WHERE suffix = 'A'", Fault.ROWS),
    "one of a batch removed": ("DELETE FROM identifiers WHERE suffix = 'L-7'", Fault.ROWS),
    "one of a batch renamed": (
        "UPDATE identifiers SET suffix = 'X' WHERE suffix = 'L-7'",
        Fault.ROWS,
    ),
    "an identifier slipped in": (
        "INSERT INTO identifiers VALUES ('88.901', 'X', ZERO, 0, 1, 1700000000, 0)",
        Fault.ROWS,
    ),
    "a hold lifted": ("UPDATE identifiers SET state = 0 WHERE suffix = 'C'", Fault.ROWS),
    "a time changed": ("UPDATE identifiers SET modified = 1 WHERE suffix = 'A'", Fault.ROWS),
    "the past forgotten": ("DELETE FROM identifier_history WHERE suffix = 'A'", Fault.ROWS),
    "the past changed": (
        "UPDATE identifier_history SET record = ZERO WHERE suffix = 'A'",
        Fault.ROWS,
    ),
    "an old version brought back": (
        "DELETE FROM identifiers WHERE suffix = 'A';"
        "INSERT INTO identifiers SELECT prefix, suffix, record, state, version, modified, entry"
        " FROM identifier_history WHERE suffix = 'A';"
        "DELETE FROM identifier_history WHERE suffix = 'A'",
        Fault.ROWS,
    ),
}


@pytest.mark.parametrize("what", TAMPERING)
async def test_tampering_is_found(what: str, made: tuple[str, Checkpoint]) -> None:
    url, checkpoint = made
    statements, fault = TAMPERING[what]

    async def tamper(connection: AsyncConnection) -> None:
        for statement in statements.replace("ZERO", ZERO[backend_name(url)]).split(";"):
            await connection.exec_driver_sql(statement)

    await change(url, tamper)
    assert fault in await found(url, checkpoint)


async def test_any_flipped_bit_of_the_log_and_the_rows_is_found(
    made: tuple[str, Checkpoint],
) -> None:
    url, checkpoint = made
    drawn = random.Random(7)
    names = ("time", "event", "actor", "origin", "subject", "before", "after", "hash")
    columns = [AUDIT_LOG.c[name] for name in names]
    columns += [IDENTIFIERS.c.record, IDENTIFIER_HISTORY.c.record]
    async with open_snapshot(url) as connection:
        places = [
            (column, matches(column, row), row[-1])
            for column in columns
            for row in await connection.execute(select(*column.table.primary_key, column))
            if row[-1] not in ("", b"")
        ]
    for column, where, old in drawn.sample(places, 60):
        setting = update(column.table).where(*where)
        await change(url, partial(run, setting.values({column: flipped(old, drawn)})))
        assert await found(url, checkpoint), (column, old)
        await change(url, partial(run, setting.values({column: old})))
    assert await found(url, checkpoint) == set()


async def run(statement: Update, connection: AsyncConnection) -> None:
    await connection.execute(statement)


def matches(column: Any, row: Any) -> list[ColumnElement[bool]]:
    """What picks the row, which begins with its key."""
    return [each == value for each, value in zip(column.table.primary_key, row, strict=False)]


def flipped(old: bytes | str | int, drawn: random.Random) -> bytes | str | int:
    if isinstance(old, int):
        return old ^ 1 << drawn.randrange(40)
    octets = bytearray(old.encode() if isinstance(old, str) else old)
    octets[drawn.randrange(len(octets))] ^= 1 << drawn.randrange(5)  # never to NUL
    return octets.decode() if isinstance(old, str) else bytes(octets)


async def register(url: str, suffix: str) -> Head:
    """Register one more identifier, at another time; the end of the log behind it."""
    store = await opened(url)
    registrar = Registrar(store, ManualClock(1_800_000_000))
    await registrar.submit(Create(key(suffix), [value("x")]), ACTOR)
    head = registrar.ledger.head
    assert head is not None
    await registrar.aclose()
    await store.close()
    return head


async def test_an_older_copy_is_found_by_what_the_witness_keeps(
    made: tuple[str, Checkpoint], new_store_url: Callable[[], str]
) -> None:
    url, _ = made
    older = new_store_url()
    target = await opened(older)
    async with open_snapshot(url) as connection:
        await copy(connection, target, "an older copy")
    await target.close()
    later = sign(Checkpoint("baijiu", *await register(url, "LATER"), 9), KEY)
    assert await found(url, later) == set()
    assert await found(older) == set()
    assert await found(older, later) == {Fault.CUT}
    # The older copy grows again, otherwise than the log did that the witness saw.
    await register(older, "OTHER")
    assert await found(older, later) == {Fault.REWRITTEN}
