"""Bulk loads that are killed, one after another, into the same store.

`python -m tests.support.killed_loads URL ROUNDS SEED` starts a load, kills it once it has been
told a few times how far it is durable, and prints `ROUND LINE`, the last line it was told of. Then
comes the next.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys

from registry.audit.log import Actor
from registry.bulk.registering import Existing, Registering
from registry.bulk.rows import RowReader
from registry.bulk.upload import Upload
from registry.clock import SystemClock
from registry.registration.registrar import Registrar
from registry.schemes.handle import DEFAULT_RULES, Key
from registry.storage.backends import open_store

PREFIX = "88.901.7"
#: Lines in what is read at once; batches are cut out of that.
_AT_ONCE = 700


def suffix(round_: int, line: int) -> str:
    return f"R{round_:03}-{line:08}"


def data(line: int) -> tuple[str, str]:
    """Two values that belong together, so that half a registration shows."""
    return f"first of {line}", f"second of {line}"


def _line(round_: int, line: int) -> str:
    first, second = data(line)
    values = f'{{"index":1,"type":"A","data":"{first}"}},{{"index":2,"type":"B","data":"{second}"}}'
    return f'{{"identifier":"{PREFIX}/{suffix(round_, line)}","values":[{values}]}}\n'


async def _load(url: str, round_: int, told: int) -> None:
    store = await open_store(url)
    async with store.begin() as transaction:
        await transaction.home([PREFIX])
    registrar = Registrar(store, SystemClock())
    registering = Registering(registrar, store.reads, Actor("loader", "test"), Existing.REFUSE)
    lines = 0

    async def read() -> bytes:
        nonlocal lines
        await asyncio.sleep(0)
        lines += _AT_ONCE
        made = (_line(round_, line) for line in range(lines - _AT_ONCE + 1, lines + 1))
        return "".join(made).encode()

    async def answer(octets: bytes) -> None:
        os.write(told, octets)

    await Upload(RowReader(DEFAULT_RULES, _anything), registering, SystemClock(), answer).run(read)


def _anything(key: Key) -> None:
    """Every identifier may be added."""


def _killed(url: str, round_: int, after: int) -> bytes:
    """What a load says until it is killed, `after` lines or some more."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        asyncio.run(_load(url, round_, write))
        os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as told:
        heard = b"".join(told.readline() for _ in range(after))
        os.kill(child, signal.SIGKILL)
        heard += told.read()
    os.waitpid(child, 0)
    return heard


def _main(url: str, rounds: int, seed: str) -> None:
    chance = random.Random(seed)
    for round_ in range(rounds):
        heard = _killed(url, round_, chance.randint(1, 5))
        last = heard[: heard.rindex(b"\n")].rsplit(b"\n", 1)[-1]
        line = int(last.removeprefix(b'{"committed_through":').removesuffix(b"}"))
        print(round_, line, flush=True)


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
