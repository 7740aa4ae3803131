"""Registers identifiers without end and prints each when it is acknowledged, to be killed.

`python -m tests.support.registering_writer URL ROUND`
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

from registry.audit.log import Actor
from registry.clock import SystemClock
from registry.registration.changes import Create
from registry.registration.registrar import Registrar
from registry.schemes.handle import Key
from registry.storage.backends import open_store
from registry.storage.interface import Store
from registry.values.value import Value, decode_record

CLIENTS = 16
ACTOR = Actor("writer", "test")


def values(suffix: str) -> list[Value]:
    """Several values that belong together, so that half a registration shows."""
    return [Value(index, b"PART", f"{suffix} {index}".encode() * 20) for index in range(1, 6)]


async def _client(registrar: Registrar, name: str) -> None:
    for number in itertools.count():
        suffix = f"{name}-{number}"
        await registrar.submit(Create(Key("88.901", suffix), values(suffix)), ACTOR)
        os.write(1, f"{suffix}\n".encode())


def killed_while_registering(url: str, name: str, after: int) -> set[str]:
    """The suffixes that a writer acknowledged before `kill -9`, given after at least `after`."""
    command = [sys.executable, "-m", "tests.support.registering_writer", url, name]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(after)]
        os.kill(writer.pid, signal.SIGKILL)
        # A line that was cut off by the kill was not an acknowledgement yet.
        lines += [line for line in writer.stdout if line.endswith("\n")]
    assert all(lines), "the writer ended by itself"
    return {line.strip() for line in lines}


async def check_kept(store: Store, acknowledged: set[str]) -> None:
    """Hold a store to what was acknowledged: all of it is there, and nothing by half."""
    rows = {row.suffix: row async for row in store.reads.scan("88.901")}
    assert acknowledged <= rows.keys()
    assert (await store.reads.counts())["88.901"] == len(rows)
    for suffix, row in rows.items():
        found = [value.data for value in decode_record(row.record)]
        assert found == [value.data for value in values(suffix)]


async def _main(url: str, name: str) -> None:
    store = await open_store(url)
    async with store.begin() as transaction:
        await transaction.home(["88.901"])
    registrar = Registrar(store, SystemClock())
    await asyncio.gather(*(_client(registrar, f"{name}-{client}") for client in range(CLIENTS)))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2]))
