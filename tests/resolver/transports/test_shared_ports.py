"""Ports that several servers share: who asked to share gets a part, nobody else gets in."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from resolver.codecs.dns.framing import Splitter
from resolver.transports.http import HttpServer
from resolver.transports.tcp import TcpServer
from resolver.transports.udp import UdpServer
from resolver.transports.udp_batches import listen

HOST = "127.0.0.1"
SENDERS = 64


class Named:
    """Answers with its name; as a front it leaves every datagram to be asked for."""

    masked = ()
    segment = 0

    def __init__(self, name: bytes) -> None:
        self.name = name

    def at_once(self, datagrams, senders, now, admits):
        return [None] * len(datagrams), 0

    def datagram(self, data, peer):
        return (self.name,)


async def batched(name: bytes, port: int, *, shared: bool) -> Any:
    return await listen(Named(name), HOST, port, shared=shared)


async def one_by_one(name: bytes, port: int, *, shared: bool) -> Any:
    return await UdpServer.bind(lambda data, peer: (name,), HOST, port, shared=shared)


async def streams(name: bytes, port: int, *, shared: bool) -> Any:
    server = TcpServer(lambda message, peer: name, Splitter, lambda error: None)
    await server.bind(HOST, port, shared=shared)
    return server


async def web_pages(name: bytes, port: int, *, shared: bool) -> Any:
    server = HttpServer(web.Application(), None)  # type: ignore[arg-type]
    await server.bind(HOST, port, shared=shared)
    return server


Start = Callable[..., Awaitable[Any]]


async def drain(server: Any) -> None:
    await (server.drain() if isinstance(server, HttpServer) else server.drain(1.0))


@pytest.mark.parametrize("start", [batched, one_by_one, streams, web_pages])
async def test_only_who_shares_gets_in(start: Start) -> None:
    first = await start(b"first", 0, shared=True)
    second = await start(b"second", first.port, shared=True)
    with pytest.raises(OSError, match="use") as refused:
        await start(b"third", first.port, shared=False)
    assert refused.value.errno == errno.EADDRINUSE
    for server in (first, second):
        await drain(server)


@pytest.mark.parametrize("start", [batched, one_by_one, streams, web_pages])
async def test_a_port_of_one_is_not_shared(start: Start) -> None:
    alone = await start(b"alone", 0, shared=False)
    with pytest.raises(OSError, match="use") as refused:
        await start(b"other", alone.port, shared=True)
    assert refused.value.errno == errno.EADDRINUSE
    await drain(alone)


@pytest.mark.parametrize("start", [batched, one_by_one])
async def test_each_has_its_part_of_the_senders(start: Start) -> None:
    servers = [await start(b"first", 0, shared=True)]
    servers.append(await start(b"second", servers[0].port, shared=True))
    loop = asyncio.get_running_loop()
    answers = set()
    for _ in range(SENDERS):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.connect((HOST, servers[0].port))
            await loop.sock_sendall(sender, b"who?")
            async with asyncio.timeout(5):
                answers.add(await loop.sock_recv(sender, 64))
    assert answers == {b"first", b"second"}
    for server in servers:
        await drain(server)
