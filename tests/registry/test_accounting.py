"""Whatever is done to a store or its log behind the program's back shows."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa

from registry.accounting import check_rows
from registry.audit import Actor, Checkpoint, Fault, verify
from registry.changes import Create, Delete, Move, PutValues, Reserve
from registry.clock import ManualClock
from registry.lifecycle import Operation
from registry.registration import Registrar
from registry.schemes.handle import Key
from registry.storage.sqlite import SqliteStore
from registry.storage.sqlite_books import SqliteBooks
from registry.values.value import Value, encode_record
from registry.witness import holds, sign

ACTOR = Actor("operator@88.901", "http 127.0.0.1")
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key(suffix: str) -> Key:
    return Key("88.901", suffix)


def value(text: str) -> Value:
    return Value(1, b"NOTE", text.encode())


@pytest_asyncio.fixture
async def made(tmp_path: Path) -> AsyncIterator[tuple[Path, Checkpoint]]:
    """A store in which something of every kind has happened, and a checkpoint of its log."""
    path = tmp_path / "node.db"
    store = await SqliteStore.open(path)
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
    yield path, sign(Checkpoint("baijiu", *head, 5), KEY)


def found(path: Path, *checkpoints: Checkpoint) -> set[Fault]:
    with SqliteBooks.open(path) as books:
        findings = list(
            verify(books.entries(), checkpoints, lambda each: holds(each, KEY.public_key()))
        )
        findings += check_rows(books)
    return {finding.fault for finding in findings}


def test_an_honest_store_is_whole(made: tuple[Path, Checkpoint]) -> None:
    assert found(*made) == set()


#: What somebody with the file in hands may do, and what of it is seen.
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
        " after, size, hash FROM audit_log WHERE sequence = 3",
        Fault.GAP,
    ),
    "the log emptied": ("DELETE FROM audit_log", Fault.CUT),
    "a record changed": (
        "UPDATE identifiers SET record = x'00000000' WHERE suffix = 'A'",
        Fault.ROWS,
    ),
    "a record of a batch changed": (
        "UPDATE identifiers SET record = x'00000000' WHERE suffix = 'L-7'",
        Fault.ROWS,
    ),
    "an identifier removed": ("DELETE FROM identifiers WHERE suffix = 'A'", Fault.ROWS),
    "one of a batch removed": ("DELETE FROM identifiers WHERE suffix = 'L-7'", Fault.ROWS),
    "one of a batch renamed": (
        "UPDATE identifiers SET suffix = 'X' WHERE suffix = 'L-7'",
        Fault.ROWS,
    ),
    "an identifier slipped in": (
        "INSERT INTO identifiers VALUES ('88.901', 'X', x'00000000', 0, 1, 1700000000, 0)",
        Fault.ROWS,
    ),
    "a hold lifted": ("UPDATE identifiers SET state = 0 WHERE suffix = 'C'", Fault.ROWS),
    "a time changed": ("UPDATE identifiers SET modified = 1 WHERE suffix = 'A'", Fault.ROWS),
    "the past forgotten": ("DELETE FROM identifier_history WHERE suffix = 'A'", Fault.ROWS),
    "the past changed": (
        "UPDATE identifier_history SET record = x'00000000' WHERE suffix = 'A'",
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
def test_tampering_is_found(what: str, made: tuple[Path, Checkpoint]) -> None:
    path, checkpoint = made
    statements, fault = TAMPERING[what]
    with sqlite3.connect(path) as connection:
        connection.executescript(statements)
    connection.close()
    assert fault in found(path, checkpoint)


def test_any_flipped_bit_of_the_log_and_the_rows_is_found(made: tuple[Path, Checkpoint]) -> None:
    path, checkpoint = made
    drawn = random.Random(7)
    connection = sqlite3.connect(path)
    places = [
        (table, name, row)
        for table, names in {
            "audit_log": ("time", "event", "actor", "origin", "subject", "before", "after", "hash"),
            "identifiers": ("record",),
            "identifier_history": ("record",),
        }.items()
        for name in names
        for (row,) in connection.execute(f"SELECT rowid FROM {table} WHERE length({name}) > 0")
    ]
    for table, name, row in drawn.sample(places, 60):
        (old,) = connection.execute(f"SELECT {name} FROM {table} WHERE rowid = {row}").fetchone()
        change = f"UPDATE {table} SET {name} = ? WHERE rowid = ?"
        connection.execute(change, (flipped(old, drawn), row))
        connection.commit()
        assert found(path, checkpoint), (table, name, row)
        connection.execute(change, (old, row))
        connection.commit()
    connection.close()
    assert found(path, checkpoint) == set()


def flipped(old: bytes | str | int, drawn: random.Random) -> bytes | str | int:
    if isinstance(old, int):
        return old ^ 1 << drawn.randrange(40)
    octets = bytearray(old.encode() if isinstance(old, str) else old)
    octets[drawn.randrange(len(octets))] ^= 1 << drawn.randrange(7)
    return octets.decode() if isinstance(old, str) else bytes(octets)


async def test_an_older_copy_is_found_by_what_the_witness_keeps(
    made: tuple[Path, Checkpoint],
) -> None:
    path, _ = made
    copy = path.with_name("older.db")
    shutil.copyfile(path, copy)
    store = await SqliteStore.open(path)
    registrar = Registrar(store, ManualClock(1_800_000_000))
    await registrar.submit(Create(key("LATER"), [value("x")]), ACTOR)
    head = registrar.ledger.head
    assert head is not None
    await registrar.aclose()
    await store.close()
    later = sign(Checkpoint("baijiu", *head, 9), KEY)
    assert found(path, later) == set()
    assert found(copy) == set()
    assert found(copy, later) == {Fault.CUT}
    # The older copy grows again, otherwise than the log did that the witness saw.
    store = await SqliteStore.open(copy)
    registrar = Registrar(store, ManualClock(1_800_000_000))
    await registrar.submit(Create(key("OTHER"), [value("y")]), ACTOR)
    await registrar.aclose()
    await store.close()
    assert found(copy, later) == {Fault.REWRITTEN}
