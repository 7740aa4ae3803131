"""Backups: taken while somebody writes, complete, and refused once anybody has touched them."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import subprocess
from pathlib import Path

import pytest

from registry.errors import StorageUnavailable
from registry.storage.interface import Row
from registry.storage.sqlite import SqliteStore
from registry.storage.sqlite_backup import BackupRefused, back_up, restore, sum_path


def row(number: int) -> Row:
    return Row("88.901", f"N-{number:06d}", b"x" * 200, 0, 1, 1)


async def write(store: SqliteStore, first: int, count: int) -> None:
    async with store.begin() as transaction:
        await transaction.insert([row(first + number) for number in range(count)])


async def suffixes(path: Path) -> set[str]:
    store = await SqliteStore.open(path)
    found = {row.suffix async for row in store.reads.scan("88.901")}
    await store.close()
    return found


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    async def make() -> None:
        store = await SqliteStore.open(tmp_path / "node.db")
        await write(store, 0, 500)
        await store.close()

    asyncio.run(make())
    back_up(tmp_path / "node.db", tmp_path / "backup")
    return tmp_path / "backup"


async def test_what_was_acknowledged_before_is_in_a_hot_backup(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "node.db")
    acknowledged = 0
    for attempt in range(5):
        await write(store, acknowledged, 100)
        acknowledged += 100
        file = tmp_path / f"backup-{attempt}"
        taking = asyncio.create_task(asyncio.to_thread(back_up, tmp_path / "node.db", file))
        before, written = acknowledged, 0
        while not taking.done():
            await write(store, acknowledged, 10)
            acknowledged, written = acknowledged + 10, written + 10
        await taking
        restored = tmp_path / f"restored-{attempt}.db"
        restore(file, restored)
        found = await suffixes(restored)
        assert {row(number).suffix for number in range(before)} <= found
        # All of a commit or nothing of it.
        assert len(found) % 10 == 0
        assert written > 0
    await store.close()


def test_sha256sum_reads_the_checksum(backup: Path) -> None:
    command = ["sha256sum", "--check", "--quiet", sum_path(backup).name]
    assert subprocess.run(command, cwd=backup.parent).returncode == 0


def test_a_backup_that_was_touched_is_refused(backup: Path, tmp_path: Path) -> None:
    whole = backup.read_bytes()
    chance = random.Random(1)
    for _ in range(50):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        backup.write_bytes(damaged)
        with pytest.raises(BackupRefused, match="was changed"):
            restore(backup, tmp_path / "restored.db")
    backup.write_bytes(whole[:-4096])
    with pytest.raises(BackupRefused):
        restore(backup, tmp_path / "restored.db")
    backup.write_bytes(whole)
    sum_path(backup).unlink()
    with pytest.raises(BackupRefused, match="missing"):
        restore(backup, tmp_path / "restored.db")
    assert not list(tmp_path.glob("*restored*"))


@pytest.mark.parametrize("name", ["node.db", "node.db-wal"])
def test_nothing_is_overwritten(backup: Path, tmp_path: Path, name: str) -> None:
    place = tmp_path / "other"
    place.mkdir()
    (place / name).write_bytes(b"precious")
    with pytest.raises(BackupRefused, match="move it away"):
        restore(backup, place / "node.db")
    assert (place / name).read_bytes() == b"precious"


def test_what_cannot_be_backed_up(tmp_path: Path, backup: Path) -> None:
    (tmp_path / "junk").write_bytes(b"no database" * 1000)
    with pytest.raises(StorageUnavailable):
        back_up(tmp_path / "junk", tmp_path / "out")
    with pytest.raises(StorageUnavailable):
        back_up(tmp_path / "node.db", tmp_path / "absent" / "out")
    sqlite3.connect(tmp_path / "empty").close()
    with pytest.raises(StorageUnavailable):
        back_up(tmp_path / "empty", tmp_path / "out")
    assert not (tmp_path / "out").exists()
