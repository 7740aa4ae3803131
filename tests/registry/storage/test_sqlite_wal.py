"""The write-ahead log stays within bounds, also while somebody reads."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from registry.errors import StorageUnavailable
from registry.storage import sqlite_wal
from registry.storage.interface import ACTIVE, Row
from registry.storage.sqlite import SqliteStore

BATCH = 500


async def fill(store: SqliteStore, start: int) -> None:
    rows = [
        Row("88.901", f"{at:08}", b"x" * 400, ACTIVE, 1, 0) for at in range(start, start + BATCH)
    ]
    async with store.begin() as transaction:
        await transaction.insert_missing(rows)


async def test_a_long_reader_lets_it_grow_only_so_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_wal, "_AGAIN", 0.0)
    monkeypatch.setattr(sqlite_wal, "_LONG", 200)
    path = tmp_path / "node.db"
    store = await SqliteStore.open(path)
    store.bound_log(reset_at=1 << 20, most=4 << 20)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM identifiers").fetchone()
    written = 0
    with pytest.raises(StorageUnavailable, match="reader"):  # noqa: PT012
        for written in range(0, 100 * BATCH, BATCH):
            await fill(store, written)
    assert store.figures()["wal_bytes"] < 6 << 20
    assert written > BATCH
    reader.close()
    await fill(store, written)
    assert store.figures()["wal_bytes"] <= 2 << 20
    await store.close()


async def test_a_writer_waits_for_a_reader_that_ends_soon(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    store = await SqliteStore.open(path)
    await fill(store, 0)
    store.bound_log(reset_at=0, most=0)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM identifiers").fetchone()
    asyncio.get_running_loop().call_later(0.1, reader.close)
    await fill(store, BATCH)
    assert len([row async for row in store.reads.scan("88.901")]) == 2 * BATCH
    await store.close()


async def test_without_readers_it_stays_short(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "node.db")
    store.bound_log(reset_at=1 << 20, most=4 << 20)
    for start in range(0, 40 * BATCH, BATCH):
        await fill(store, start)
        assert store.figures()["wal_bytes"] < 5 << 20
    await store.close()
