"""What the right answers are: identifiers with their records, from the nodes' stores or by asking.

The stores are the truth that nodes answer from. Where only a running service is at hand, each
identifier is asked for once before the run, and the run holds the service to that answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from registry.errors import Refusal
from registry.schemes.handle import Key, parse
from registry.storage.interface import Lookup
from registry.storage.sqlite_lookup import SqliteLookup
from resolver.client import Client, Endpoint
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
    with ExitStack() as stack:
        stores: list[Lookup] = [
            stack.enter_context(closing(SqliteLookup(path)))
            for path in sorted(data.glob("*/node.db"))
        ]
        homed = [(store, prefixes) for store in stores if (prefixes := _wanted(store, shares))]
        each = -(-count // len(homed)) if homed else 0
        found = [known for store, prefixes in homed for known in _sample(store, each, prefixes)]
    return found[:count]


def asked(names: Sequence[str], host: str, port: int) -> list[Known]:
    """What the service there answers now. Identifiers it does not resolve are left out."""
    return asyncio.run(_ask_all(names, Endpoint(host, port)))


def save(known: Sequence[Known], path: Path) -> None:
    path.write_bytes(msgspec.msgpack.encode(known))


def load(path: Path) -> list[Known]:
    return msgspec.msgpack.decode(path.read_bytes(), type=list[Known])


def _wanted(store: Lookup, shares: Mapping[str, float]) -> list[str]:
    """The prefixes of a store that identifiers are wanted of."""
    return [
        prefix
        for prefix, identifiers in store.counts().items()
        if identifiers and (not shares or Known(f"{prefix}/", b"").sector in shares)
    ]


def _sample(store: Lookup, count: int, prefixes: Sequence[str]) -> Iterator[Known]:
    for key in store.sample(count, prefixes):
        if (record := store.record(*key)) is not None:
            yield Known(str(key), record)


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
