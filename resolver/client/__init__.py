"""A client of Handle nodes: resolving, finding who is responsible, administering.

    client, node = Client(), Endpoint("127.0.0.1", 2641)
    answer = await client.resolve("88.901.7/BOT-000001", node, types=[b"URL"])
    if isinstance(answer, Values):
        for value in decode_record(answer.record):
            print(value.index, value.type, value.data)

    home = await client.find("88.901.7/BOT-2", node)
    async with client.administer(home, SecretKey("88.901.7/ADMIN", 300, secret)) as server:
        await server.create("88.901.7/BOT-2", [Value(1, b"URL", b"https://example.org/")])

A `Referral` is handed back as it is; following it is what `resolver.recursion` does, whose driver
asks through `Client.ask`.

    resolution       questions, retries, fall-back from UDP to TCP and HTTP
    finding          the server that an identifier is administered on
    opening          reaching it; session, challenges or log-in
    administration   what can be done there
    conversation     challenge and answer, sessions that are renewed
    session          keys agreed upon, MACs, encryption
    channel          one connection for many requests, where the server keeps it
"""

from __future__ import annotations

from resolver.client.administration import Administration
from resolver.client.endpoint import Endpoint
from resolver.client.errors import Denied
from resolver.client.keys import PrivateKey, SecretKey
from resolver.client.opening import Mode
from resolver.client.resolution import Client
from resolver.transports.kept import ConnectionLost
from resolver.transports.outbound import (
    ExchangeFailed,
    Incomplete,
    Silent,
    Unreachable,
    Unusable,
)

__all__ = [
    "Administration",
    "Client",
    "ConnectionLost",
    "Denied",
    "Endpoint",
    "ExchangeFailed",
    "Incomplete",
    "Mode",
    "PrivateKey",
    "SecretKey",
    "Silent",
    "Unreachable",
    "Unusable",
]
