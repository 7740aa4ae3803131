"""Every system call by which a registration reaches the disk fails once: it ends as it says.

`strace` makes the calls fail, or has the process killed at them.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry.audit.log import Event
from registry.storage.sqlite import SqliteStore
from registry.values.value import decode_record
from tests.support.one_registration import KEY, VALUES

CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate")
FAULTS = ("error=EIO", "error=ENOSPC", "signal=KILL")
_HELPER = (sys.executable, "-m", "tests.support.one_registration")
_KILLED = -9


def _can_trace() -> str:
    """Why nothing can be traced here, or nothing."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(
        ["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, check=False
    )
    return "" if tried.returncode == 0 else "strace may trace nothing here"


pytestmark = pytest.mark.skipif(bool(_can_trace()), reason=_can_trace())


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that homes the prefix."""
    path = tmp_path_factory.mktemp("prepared") / "node.db"

    async def prepare() -> None:
        store = await SqliteStore.open(path)
        async with store.begin() as transaction:
            await transaction.home([KEY.prefix])
        await store.close()

    asyncio.run(prepare())
    return path


def traced(path: Path, *options: str, more: tuple[str, ...] = ()) -> tuple[int, str, str]:
    """Status and output of the helper, and the calls it made on the files of the store."""
    log = path.with_suffix(".log")
    # Only calls on these files are seen, counted and made to fail.
    files = [option for end in ("", "-wal") for option in ("-P", f"{path}{end}")]
    command = ["strace", "-f", "-qq", "-o", str(log), *files, *options, *_HELPER, str(path), *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, log.read_text()


def calls(path: Path, *more: str) -> Counter[str]:
    """How often each call was made."""
    _, _, log = traced(path, "-e", f"trace={','.join(CALLS)}", more=more)
    return Counter(
        name
        for line in log.splitlines()
        for name in CALLS
        if line.split(None, 1)[1].startswith(name)
    )


def copies(prepared: Path, directory: Path) -> Iterator[Path]:
    number = 0
    while True:
        number += 1
        path = directory / f"{number}.db"
        shutil.copy(prepared, path)
        yield path


def test_each_call_failed_once(prepared: Path, tmp_path: Path) -> None:
    fresh = copies(prepared, tmp_path)
    before, after = calls(next(fresh), "open"), calls(next(fresh))
    places = [
        (next(fresh), call, number, fault)
        for call in CALLS
        for number in range(before[call] + 1, after[call] + 1)
        for fault in FAULTS
    ]
    assert any(call == "fdatasync" for _, call, _, _ in places), "commits are synced"
    with ThreadPoolExecutor(2) as workers:
        outcomes = list(workers.map(_failed, places))
    assert set(outcomes) >= {"killed", "outcome-unknown"}


def _failed(place: tuple[Path, str, int, str]) -> str:
    """Run one registration with a fault; check that it ended as it says."""
    path, call, number, fault = place
    inject = f"inject={call}:{fault}:when={number}"
    status, output, _ = traced(path, "-e", f"trace={call}", "-e", inject)
    said, _, seen = output.partition(" ")
    there = _stored(path)
    if fault == "signal=KILL":
        assert (abs(status) in (9, 137), said) == (True, ""), (place, status, output)
        return "killed"
    assert status == 0, place
    assert said in ("ok", "storage", "outcome-unknown"), (place, output)
    if said == "ok":
        assert (seen, there) == ("there", True), place
    if said == "storage":
        assert (seen, there) == ("absent", False), place
    return said


def _stored(path: Path) -> bool:
    """Whether the identifier is there after a restart: whole, with its audit entry, or not."""
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    query = "SELECT record FROM identifiers WHERE prefix = ? AND suffix = ?"
    found = connection.execute(query, KEY).fetchone()
    noted = connection.execute(
        "SELECT count(*) FROM audit_log WHERE event = ?", (str(Event.IDENTIFIER_CREATED),)
    ).fetchone()
    counted = connection.execute("SELECT identifiers FROM prefix_statistics").fetchone()
    connection.close()
    assert noted == counted == (0 if found is None else 1,)
    if found is not None:
        assert [value.data for value in decode_record(found[0])] == [value.data for value in VALUES]
    return found is not None
