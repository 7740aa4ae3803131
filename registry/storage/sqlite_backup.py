"""Backups of an SQLite store: taken while the node writes, checked, with a checksum beside them.

The copy is made by SQLite's online backup in one step, so it is the store at one moment, and
writers do not wait for it. `FILE.sha256` has the form that sha256sum reads and writes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from registry.errors import StorageUnavailable
from registry.storage.interface import StoreNotUsable

#: What belongs to an SQLite store beside the file itself.
_COMPANIONS: Final = ("-wal", "-shm", "-journal")


class BackupRefused(Exception):  # noqa: N818 - it refuses, nothing malfunctioned
    """The backup is damaged or foreign, or there is something in its place: str() says what."""


def sum_path(file: Path) -> Path:
    """Where the checksum of a backup is."""
    return file.with_name(f"{file.name}.sha256")


def back_up(store: Path, file: Path) -> str:
    """Write a checked copy of a store to `file`; its SHA-256. Raises StorageUnavailable."""
    draft = file.with_name(f".{file.name}.part")
    try:
        _copy(store, draft)
        _check(draft)
        digest = _digest(draft)
        _write_synced(sum_path(file), f"{digest}  {file.name}\n".encode())
        draft.replace(file)
        _sync_directory(file.parent)
    except (sqlite3.Error, OSError) as error:
        raise StorageUnavailable(f"{store} cannot be backed up to {file}: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
    return digest


def restore(file: Path, store: Path) -> str:
    """Put a backup where there is no store yet; its SHA-256.

    Raises BackupRefused, StorageUnavailable.
    """
    for path in (store, *(store.with_name(store.name + end) for end in _COMPANIONS)):
        if path.exists():
            raise BackupRefused(f"{path} is there already: move it away first")
    draft = store.with_name(f".{store.name}.part")
    try:
        shutil.copyfile(file, draft)
        digest = _digest(draft)
        if digest != _expected(file):
            raise BackupRefused(f"{file} is not what {sum_path(file)} says: it was changed")
        _check(draft)
        with draft.open("rb+") as copied:
            os.fsync(copied.fileno())
        draft.replace(store)
        _sync_directory(store.parent)
    except (sqlite3.Error, OSError) as error:
        raise StorageUnavailable(f"{file} cannot be restored: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
    return digest


def _copy(store: Path, draft: Path) -> None:
    draft.unlink(missing_ok=True)
    source = sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True)
    with closing(source), closing(sqlite3.connect(draft)) as target:
        source.backup(target)
        # One file that needs no other beside it.
        target.execute("PRAGMA journal_mode = DELETE")


def _check(file: Path) -> None:
    """Raise BackupRefused or StorageUnavailable for what is no store, or no longer."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
        if verdict != "ok":
            raise StorageUnavailable(f"the database is damaged: {verdict}")
        if connection.execute("SELECT version_num FROM alembic_version").fetchone() is None:
            raise StoreNotUsable("the database is no store of a node")


def _expected(file: Path) -> str:
    try:
        return sum_path(file).read_text().split()[0]
    except (OSError, IndexError):
        raise BackupRefused(f"{sum_path(file)}, the checksum of the backup, is missing") from None


def _digest(file: Path) -> str:
    with file.open("rb") as octets:
        return hashlib.file_digest(octets, "sha256").hexdigest()


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
