"""What the right answers are: identifiers with their records, from the nodes' stores or by asking.

The stores are the truth that nodes answer from. Where only a running service is at hand, each
identifier is asked for once before the run, and the run holds the service to that answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from registry.errors import Refusal
from registry.schemes.handle import Key, parse
from registry.storage.backends import open_reads
from registry.storage.interface import Reads
from resolver.client import Client, Endpoint
from resolver.data_directory import DataDirectory
from resolver.query import Values
from resolver.transports.outbound import ExchangeFailed

_SECTOR_SEGMENTS: Final = 2
#: Identifiers asked for at the same time.
_AT_ONCE: Final = 32


class Known(NamedTuple):
    """An identifier as it is asked for, and its values in wire form."""

    handle: str
    record: bytes

    @property
    def key(self) -> Key:
        return parse(self.handle)

    @property
    def sector(self) -> str:
        """The prefix of the sector that it belongs to."""
        return ".".join(self.key.prefix.split(".")[:_SECTOR_SEGMENTS])


def from_stores(data: Path, count: int, shares: Mapping[str, float]) -> list[Known]:
    """Up to `count` identifiers, as many of each node; with `shares` only of the sectors named."""
    return asyncio.run(_from_stores(DataDirectory(data), count, shares))


def asked(names: Sequence[str], host: str, port: int) -> list[Known]:
    """What the service there answers now. Identifiers it does not resolve are left out."""
    return asyncio.run(_ask_all(names, Endpoint(host, port)))


def save(known: Sequence[Known], path: Path) -> None:
    path.write_bytes(msgspec.msgpack.encode(known))


def load(path: Path) -> list[Known]:
    return msgspec.msgpack.decode(path.read_bytes(), type=list[Known])


async def _from_stores(data: DataDirectory, count: int, shares: Mapping[str, float]) -> list[Known]:
    found: list[Known] = []
    async with AsyncExitStack() as stack:
        homed: list[tuple[Reads, list[str]]] = []
        for name in data.stored_nodes():
            store = await open_reads(data.store_url(name))
            stack.push_async_callback(store.close)
            if prefixes := await _wanted(store, shares):
                homed.append((store, prefixes))
        each = -(-count // len(homed)) if homed else 0
        for store, prefixes in homed:
            found += await _sample(store, each, prefixes)
    return found[:count]


async def _wanted(store: Reads, shares: Mapping[str, float]) -> list[str]:
    """The prefixes of a store that identifiers are wanted of."""
    return [
        prefix
        for prefix, identifiers in (await store.counts()).items()
        if identifiers and (not shares or Known(f"{prefix}/", b"").sector in shares)
    ]


async def _sample(store: Reads, count: int, prefixes: Sequence[str]) -> list[Known]:
    keys = await store.sample(count, prefixes)
    records = [(key, await store.record(*key)) for key in keys]
    return [Known(str(key), record) for key, record in records if record is not None]


async def _ask_all(names: Sequence[str], endpoint: Endpoint) -> list[Known]:
    client = Client()
    free = asyncio.Semaphore(_AT_ONCE)

    async def ask(name: str) -> Known | None:
        async with free:
            try:
                answer = await client.resolve(name, endpoint)
            except (ExchangeFailed, Refusal):
                return None
            return Known(name, answer.record) if isinstance(answer, Values) else None

    answers = await asyncio.gather(*map(ask, names))
    return [known for known in answers if known is not None]
