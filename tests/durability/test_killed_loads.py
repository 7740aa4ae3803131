"""A load that is killed at any moment loses nothing it was told of and leaves nothing half done."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from functools import partial

import pytest

from registry.audit.accounting import check_rows
from registry.audit.log import Event, verify
from registry.bulk.batches import MAX_LINES
from registry.storage.backends import backend_name, open_reads
from registry.storage.books import SqlBooks, look_into
from registry.storage.interface import Row
from registry.values.value import decode_record
from tests.support.killed_loads import PREFIX, data, suffix

#: A kill of the other one takes longer: the server has to notice it.
ROUNDS = {"sqlite": 50, "postgresql": 25}


@pytest.mark.timeout(240)
async def test_kills(store_url: str) -> None:
    rounds = ROUNDS[backend_name(store_url)]
    command = [sys.executable, "-m", "tests.support.killed_loads", store_url, str(rounds), "7"]
    run = partial(subprocess.run, capture_output=True, text=True, timeout=220, check=True)
    done = await asyncio.to_thread(run, command)
    told = {int(round_): int(line) for round_, line in map(str.split, done.stdout.splitlines())}
    assert len(told) == rounds
    reads = await open_reads(store_url)
    rows = [row async for row in reads.scan(PREFIX, page_size=5000)]
    counts = await reads.counts()
    await reads.close()
    assert counts == {PREFIX: len(rows)}
    for round_, line in told.items():
        _check_round(round_, line, [row for row in rows if row.suffix.startswith(f"R{round_:03}-")])
    assert await look_into(store_url, _registered) == len(rows)


def _check_round(round_: int, told: int, rows: Sequence[Row]) -> None:
    """The rows of a round, whose lines have no gaps."""
    assert [row.suffix for row in rows] == [suffix(round_, at + 1) for at in range(len(rows))]
    assert len(rows) >= told, "all that it was told of is there"
    assert len(rows) % MAX_LINES == 0, "a batch is there as a whole, or not at all"
    for line, row in enumerate(rows, 1):
        assert tuple(value.data.decode() for value in decode_record(row.record)) == data(line)


def _registered(books: SqlBooks) -> int:
    """How many rows the audit log tells of, which is whole and says what is stored."""
    assert [*verify(books.entries(), [], lambda _: False), *check_rows(books)] == []
    batches = (entry for entry, _ in books.entries() if entry.event == Event.BATCH_REGISTERED)
    return sum(entry.size for entry in batches)
