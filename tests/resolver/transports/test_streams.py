"""What one TCP client can make a node do and keep, and what it is told beyond that."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from resolver.codecs.dns.framing import Splitter, frame
from resolver.transports.connections import Patience
from resolver.transports.stream import MAX_WAITING
from resolver.transports.tcp import TcpServer

HOST = "127.0.0.1"
LARGE = 1 << 15


class Service:
    """Answers at once, or at the gate what begins with W, with as much as is asked of it."""

    def __init__(self) -> None:
        self.served: list[bytes] = []
        self.gate = asyncio.Event()
        self.reached = asyncio.Event()
        self.until = 0

    def serve(self, message, context):
        self.served.append(message)
        if len(self.served) == self.until:
            self.reached.set()
        if message[:1] == b"W":
            return self.later(message)
        if message[:1] == b"D":
            return None
        return frame(message + bytes(LARGE if message[:1] == b"L" else 0))

    async def later(self, message):
        await self.gate.wait()
        return frame(message)

    async def has_served(self, count: int) -> None:
        self.until = count
        async with asyncio.timeout(5):
            if len(self.served) < count:
                await self.reached.wait()


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def listening(service):
    servers = []

    async def listen(**options) -> TcpServer:
        server = TcpServer(
            service.serve,
            Splitter,
            lambda error: b"last words",
            busy=lambda message, context: frame(b"busy " + message),
            **options,
        )
        servers.append(server)
        await server.bind(HOST, 0)
        return server

    yield listen
    for server in servers:
        await server.drain(0)


async def connect(server: TcpServer, source: str = HOST):
    return await asyncio.open_connection(HOST, server.port, local_addr=(source, 0))


async def read(reader: asyncio.StreamReader, count: int) -> list[bytes]:
    found = []
    async with asyncio.timeout(5):
        for _ in range(count):
            size = int.from_bytes(await reader.readexactly(2), "big")
            found.append(await reader.readexactly(size))
    return found


def settled(server: TcpServer) -> bool:
    account = server.account
    return account.received == account.answered + account.refused + account.dropped.total()


async def test_a_connection_too_many_is_told_so_and_closed(listening):
    server = await listening(max_connections=2)
    first, kept = await connect(server)
    kept.write(frame(b"a"))
    assert await read(first, 1) == [b"a"]
    reader, writer = await connect(server)
    writer.write(frame(b"b"))
    assert await reader.read() == frame(b"busy b")
    other, others = await connect(server, "127.0.0.2")
    others.write(frame(b"c"))
    assert await read(other, 1) == [b"c"]
    assert (server.account.answered, server.account.refused) == (2, 1)
    assert settled(server)
    for each in (kept, writer, others):
        each.close()


async def test_a_refused_connection_that_asks_nothing_is_closed(listening):
    server = await listening(max_connections=2, patience=Patience(refusal=0.01))
    _, kept = await connect(server)
    reader, writer = await connect(server)
    assert await reader.read() == b""
    kept.close()
    writer.close()


async def test_pipelined_requests_wait_their_turn(listening, service):
    server = await listening()
    reader, writer = await connect(server)
    sent = [b"W%04d" % number for number in range(5 * MAX_WAITING)]
    writer.write(b"".join(map(frame, sent)))
    await service.has_served(MAX_WAITING)
    assert service.served == sent[:MAX_WAITING]
    assert server.account.waiting == server.account.received
    service.gate.set()
    assert sorted(await read(reader, len(sent))) == sent
    assert server.account.answered == len(sent)
    writer.close()


async def test_one_source_does_not_take_all_places_of_requests_under_way(listening, service):
    server = await listening(max_under_way=8)
    reader, writer = await connect(server)
    writer.write(b"".join(map(frame, [b"W"] * 6)))
    assert await read(reader, 2) == [b"busy W"] * 2
    other, others = await connect(server, "127.0.0.2")
    others.write(frame(b"W"))
    await service.has_served(5)
    service.gate.set()
    assert await read(other, 1) == [b"W"]
    assert await read(reader, 4) == [b"W"] * 4
    assert (server.account.answered, server.account.refused) == (5, 2)
    assert settled(server)
    writer.close()
    others.close()


@pytest.fixture
def slow_reader():
    """A client whose end holds next to nothing."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        yield sock


async def test_who_takes_in_nothing_is_served_no_more(listening, service, slow_reader):
    server = await listening()
    loop = asyncio.get_running_loop()
    await loop.sock_connect(slow_reader, (HOST, server.port))
    count = 400
    await loop.sock_sendall(slow_reader, frame(b"L") * count)
    await service.has_served(1)
    other, others = await connect(server)
    others.write(frame(b"a"))
    await read(other, 1)
    assert len(service.served) < count
    expected, received = count * (2 + 1 + LARGE), 0
    async with asyncio.timeout(20):
        while received < expected:
            received += len(await loop.sock_recv(slow_reader, 1 << 20))
    assert service.served.count(b"L") == count
    assert server.account.answered == count + 1
    others.close()


async def test_who_takes_in_nothing_for_long_is_closed(listening, slow_reader):
    server = await listening(patience=Patience(reading=0.01))
    loop = asyncio.get_running_loop()
    await loop.sock_connect(slow_reader, (HOST, server.port))
    await loop.sock_sendall(slow_reader, frame(b"L") * 400)
    async with asyncio.timeout(5):
        while not (server.connections.late and settled(server)):  # noqa: ASYNC110 - a number
            await asyncio.sleep(0)
    assert server.connections.open == 0
    assert server.account.dropped["ended"] == server.account.received - server.account.answered


async def test_a_message_that_does_not_get_whole_gets_the_last_words(listening):
    server = await listening(patience=Patience(message=0.01))
    reader, writer = await connect(server)
    writer.write(frame(b"a") + frame(b"abc")[:3])
    assert await reader.read() == frame(b"a") + b"last words"
    assert server.account.answered == server.account.received == 2
    writer.close()


async def test_every_request_is_accounted_for(listening, service):
    server = await listening()
    reader, writer = await connect(server)
    sent = [b"a", b"D", b"W"] * 10
    writer.write(b"".join(map(frame, sent)))
    await read(reader, 10)
    await service.has_served(len(sent))
    account = server.account
    assert (account.received, account.answered, account.waiting) == (30, 10, 10)
    assert account.dropped == {"unanswerable": 10}
    at_once = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    writer.transport.abort()
    async with asyncio.timeout(5):
        while not settled(server):  # noqa: ASYNC110 - a number is no event
            await asyncio.sleep(0)
    assert account.dropped == {"unanswerable": 10, "ended": 10}
