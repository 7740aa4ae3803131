"""Authenticated creates in one session on one connection: how many a second become durable."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from time import perf_counter

from registry.schemes.handle import parse
from registry.values.value import Value
from resolver.client import Administration, Client, Endpoint, PrivateKey, SecretKey

VALUES = (
    Value(1, b"URL", b"https://example.org/products/00000001"),
    Value(2, b"EMAIL", b"contact@example.org"),
)


async def session_creates(
    endpoint: Endpoint,
    identity: SecretKey | PrivateKey,
    count: int = 10_000,
    in_flight: int = 32,
) -> float:
    """Creates per second, each acknowledged after it is durable.

    They lie under the prefix of the administrator's own identifier, with new names on each run.
    Setting up the session and proving the key is not counted. Raises ExchangeFailed, Denied.
    """
    run = f"{parse(identity.handle).prefix}/SESSION-{secrets.token_hex(4)}"
    names = (f"{run}-{number:06}" for number in range(count))
    async with Client().administer(endpoint, identity, in_flight=in_flight) as server:
        await server.create(run, VALUES)
        started = perf_counter()
        async with asyncio.TaskGroup() as workers:
            for _ in range(in_flight):
                workers.create_task(_create(server, names))
        return count / (perf_counter() - started)


async def _create(server: Administration, names: Iterator[str]) -> None:
    for name in names:
        await server.create(name, VALUES)
