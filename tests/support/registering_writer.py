"""Registers identifiers without end and prints each when it is acknowledged, to be killed.

`python -m tests.support.registering_writer FILE ROUND`
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from pathlib import Path

from registry.audit import Actor
from registry.changes import Create
from registry.clock import SystemClock
from registry.registration import Registrar
from registry.schemes.handle import Key
from registry.storage.sqlite import SqliteStore
from registry.values.value import Value

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


async def _main(path: Path, name: str) -> None:
    store = await SqliteStore.open(path)
    async with store.begin() as transaction:
        await transaction.home(["88.901"])
    registrar = Registrar(store, SystemClock())
    await asyncio.gather(*(_client(registrar, f"{name}-{client}") for client in range(CLIENTS)))


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), sys.argv[2]))
