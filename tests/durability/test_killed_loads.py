"""A load that is killed at any moment loses nothing it was told of and leaves nothing half done."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

from registry.audit import GENESIS, Entry, entry_hash
from registry.bulk.batches import MAX_LINES
from registry.values.value import decode_record
from tests.support.killed_loads import PREFIX, data, suffix

ROUNDS = 50


def test_fifty_kills(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    command = [sys.executable, "-m", "tests.support.killed_loads", str(path), str(ROUNDS), "7"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=True)
    told = {int(round_): int(line) for round_, line in map(str.split, done.stdout.splitlines())}
    assert len(told) == ROUNDS
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    total = 0
    for round_, line in told.items():
        found = _round(connection, round_)
        assert len(found) >= line, "all that it was told of is there"
        assert len(found) % MAX_LINES == 0, "a batch is there as a whole, or not at all"
        for number, record in enumerate(found, 1):
            assert tuple(value.data.decode() for value in decode_record(record)) == data(number)
        total += len(found)
    _check_books(connection, total)
    connection.close()


def _round(connection: sqlite3.Connection, round_: int) -> list[bytes]:
    """The records of a round, whose lines have no gaps."""
    query = "SELECT suffix, record FROM identifiers WHERE prefix = ? AND suffix GLOB ? ORDER BY 1"
    rows = connection.execute(query, (PREFIX, f"R{round_:03}-*")).fetchall()
    assert [name for name, _ in rows] == [suffix(round_, at) for at in range(1, len(rows) + 1)]
    return [record for _, record in rows]


def _check_books(connection: sqlite3.Connection, total: int) -> None:
    """The statistics and the audit log tell of just these rows."""
    counted = connection.execute("SELECT identifiers FROM prefix_statistics").fetchone()
    assert counted == (total,)
    log = connection.execute("SELECT * FROM audit_log ORDER BY sequence").fetchall()
    previous, size = GENESIS, 0
    for *fields, end, _scope in log:
        entry = Entry(*fields)
        assert entry_hash(entry, previous) == end
        previous = end
        size += entry.size if re.match("batch:", entry.event) else 0
    assert size == total
