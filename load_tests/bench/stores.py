"""What a store costs by itself: bulk and single registrations, reads. No sockets, no node.

    python -m load_tests.bench.stores [URL]…

Each URL names an empty store, such as postgresql://localhost/bench; without one it is an SQLite
file in the temporary directory. All commits are durable, audited and counted, as in a node.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Final

from load_tests.bench.figure import Figure
from registry.audit.log import Actor
from registry.clock import SystemClock
from registry.registration.changes import Create
from registry.registration.registrar import Registrar
from registry.schemes.handle import Key
from registry.storage.backends import backend_name, open_store
from registry.storage.interface import Store
from registry.values.value import Value, encode_record

PREFIX: Final = "88.901.7"
ACTOR: Final = Actor("bench", "bench")
BULK: Final = 200_000
SINGLES: Final = 4_000
READS: Final = 20_000
#: Callers at the same time, for single registrations and for reads.
CALLERS: Final = 64
#: Identifiers a second that a bulk load must reach.
_GOALS: Final = {"sqlite": ">= 100000", "postgresql": ">= 60000"}


async def figures(url: str) -> list[Figure]:
    """Measure the empty store that a URL names."""
    store = await open_store(url)
    registrar = Registrar(store, SystemClock())
    try:
        await registrar.home([PREFIX], ACTOR)
        found = [Figure("bulk", await _bulk(registrar), "1/s", _GOALS[backend_name(url)])]
        for callers in (1, CALLERS):
            rate = await _singles(registrar, callers)
            found.append(Figure(f"single registrations, {callers} callers", rate, "1/s"))
        for callers in (1, CALLERS):
            cost = await _reads(store, callers)
            found.append(Figure(f"a read, {callers} callers", cost, "us"))
        return found
    finally:
        await registrar.aclose()
        await store.close()


async def _bulk(registrar: Registrar) -> float:
    started = perf_counter()
    added = await registrar.load(PREFIX, _small_records(BULK), ACTOR)
    return added / (perf_counter() - started)


def _small_records(count: int) -> Iterator[tuple[str, bytes]]:
    for number in range(count):
        url = f"https://example.org/{number}".encode()
        yield f"B-{number:08d}", encode_record([Value(1, b"URL", url)])


async def _singles(registrar: Registrar, callers: int) -> float:
    """Changes a second when each caller waits for its own to be durable."""
    each = SINGLES // callers if callers > 1 else SINGLES // 8

    async def call(caller: int) -> None:
        for number in range(each):
            key = Key(PREFIX, f"S-{callers}-{caller}-{number}")
            await registrar.submit(Create(key, [Value(1, b"URL", b"https://example.org/")]), ACTOR)

    started = perf_counter()
    await asyncio.gather(*map(call, range(callers)))
    return each * callers / (perf_counter() - started)


async def _reads(store: Store, callers: int) -> float:
    """Microseconds a read of a record, uniformly drawn, when so many ask at the same time."""
    chance = random.Random(1)
    each = READS // callers if callers > 1 else READS // 10

    async def call(_: int) -> None:
        for _ in range(each):
            suffix = f"B-{chance.randrange(BULK):08d}"
            assert await store.gather(partial(store.lookup.record, PREFIX, suffix)) is not None

    started = perf_counter()
    await asyncio.gather(*map(call, range(callers)))
    return (perf_counter() - started) / (each * callers) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure stores.")
    parser.add_argument("urls", nargs="*", metavar="URL")
    with tempfile.TemporaryDirectory() as directory:
        urls = parser.parse_args().urls or [f"sqlite:///{Path(directory)}/bench.db"]
        for url in urls:
            print(backend_name(url))
            for figure in asyncio.run(figures(url)):
                print(f"  {figure}")


if __name__ == "__main__":
    main()
