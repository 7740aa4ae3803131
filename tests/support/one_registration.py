"""Opens a store, registers one identifier, prints what came of it, and ends without tidying up.

`python -m tests.support.one_registration FILE [open]`; with `open` it only opens the store.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from registry.audit.log import Actor
from registry.clock import SystemClock
from registry.errors import Refusal
from registry.registration.changes import Create
from registry.registration.registrar import Registrar
from registry.schemes.handle import Key
from registry.storage.sqlite import SqliteStore
from registry.values.value import Value

KEY = Key("88.901.7", "ONE")
VALUES = (Value(1, b"URL", b"first"), Value(2, b"URL", b"second"))


async def _main(path: Path, only_open: bool) -> str:
    store = await SqliteStore.open(path)
    registrar = Registrar(store, SystemClock())
    await registrar.ledger.open()
    if only_open:
        return "open"
    try:
        await registrar.submit(Create(KEY, VALUES), Actor("writer", "test"))
    except Refusal as refusal:
        said = refusal.outcome.slug
    else:
        said = "ok"
    found = await store.reads.record(*KEY)
    return f"{said} {'there' if found else 'absent'}"


def _say(path: Path, only_open: bool) -> None:
    async def say() -> None:
        os.write(1, (await _main(path, only_open)).encode())
        os._exit(0)

    asyncio.run(say())


if __name__ == "__main__":
    _say(Path(sys.argv[1]), sys.argv[2:] == ["open"])
