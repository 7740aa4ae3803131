"""What one HTTP client can make a node do and keep, and what it is told beyond that."""

from __future__ import annotations

import asyncio
import json
import math
import socket

import pytest
from aiohttp import web

from registry.http.problem import problem
from resolver.transports.connections import Patience
from resolver.transports.http import HttpServer

HOST = "127.0.0.1"
LARGE = 1 << 24


class Service:
    """Answers at once, or at the gate what asks for /wait, or with a lot what asks for /large."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.asked: asyncio.Queue[web.Request] = asyncio.Queue()
        self.app = web.Application(client_max_size=LARGE)
        self.app.router.add_route("*", "/{rest:.*}", self.answer)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.put_nowait(request)
        if request.path == "/wait":
            await self.gate.wait()
        body = bytes(LARGE) if request.path == "/large" else await request.read()
        return web.Response(body=body)

    def refuse(self, outcome, detail, target=""):
        return problem(outcome, detail, instance=target)

    def reply(self, line):
        if b"/plain" not in line:
            return None
        return b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain"


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def listening(service):
    servers = []

    async def listen(**options) -> HttpServer:
        servers.append(HttpServer(service.app, service, service, **options))
        await servers[-1].bind(HOST, 0)
        return servers[-1]

    yield listen
    service.gate.set()
    for server in servers:
        await server.drain()


class Client:
    """One connection from an address of its own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, server: HttpServer, source: str = HOST) -> Client:
        return cls(*await asyncio.open_connection(HOST, server.port, local_addr=(source, 0)))

    def ask(self, path: str) -> None:
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: node\r\n\r\n".encode())

    async def reply(self) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(5):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower().splitlines()
            headers = dict(line.split(": ", 1) for line in head[1:-1])
            body = await self.reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, body

    async def end(self) -> bytes:
        async with asyncio.timeout(5):
            return await self.reader.read()

    def close(self) -> None:
        self.writer.close()


def is_settled(server: HttpServer) -> bool:
    account = server.account
    return account.received == account.answered + account.refused + account.dropped.total()


async def settled(server: HttpServer) -> None:
    async with asyncio.timeout(5):
        while not (server.account.received and is_settled(server)):  # noqa: ASYNC110 - numbers
            await asyncio.sleep(0)


async def test_a_connection_too_many_is_told_so_and_closed(listening):
    server = await listening(max_connections=2)
    kept = await Client.to(server)
    kept.ask("/")
    assert (await kept.reply())[0] == 200
    refused = await Client.to(server)
    refused.ask("/plain")
    status, headers, body = await refused.reply()
    assert (status, headers["retry-after"]) == (503, "1")
    assert json.loads(body)["code"] == "overloaded"
    assert await refused.end() == b""
    other = await Client.to(server, "127.0.0.2")
    other.ask("/")
    assert (await other.reply())[0] == 200
    await settled(server)
    assert (server.account.answered, server.account.refused) == (2, 1)
    for client in (kept, refused, other):
        client.close()


async def test_one_source_does_not_take_all_places_of_requests_under_way(listening, service):
    server = await listening(max_under_way=4)
    clients = [await Client.to(server) for _ in range(3)]
    for client in clients[:2]:
        client.ask("/wait")
        await service.asked.get()
    clients[2].ask("/")
    assert (await clients[2].reply())[0] == 503
    other = await Client.to(server, "127.0.0.2")
    other.ask("/")
    assert (await other.reply())[0] == 200
    service.gate.set()
    assert [(await client.reply())[0] for client in clients[:2]] == [200, 200]
    clients[2].ask("/")
    assert (await clients[2].reply())[0] == 200
    for client in (*clients, other):
        client.close()


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: node\r\nX: "])
async def test_a_header_section_that_does_not_get_whole(listening, begun):
    server = await listening(patience=Patience(message=0.01, rest=0.01))
    client = await Client.to(server)
    client.writer.write(begun)
    assert await client.end() == b""
    assert server.account.dropped == ({"ended": 1} if begun else {})
    assert is_settled(server)
    client.close()


async def test_a_body_that_does_not_get_whole(listening, service):
    server = await listening(patience=Patience(message=0.01))
    client = await Client.to(server)
    client.writer.write(b"POST / HTTP/1.1\r\nHost: node\r\nContent-Length: 10\r\n\r\nhalf")
    await service.asked.get()
    assert await client.end() == b""
    await settled(server)
    assert server.account.dropped == {"ended": 1}
    client.close()


async def test_a_body_that_the_node_does_not_read_has_time(listening, service):
    server = await listening()
    client = await Client.to(server)
    head = f"POST /wait HTTP/1.1\r\nHost: node\r\nContent-Length: {LARGE}\r\n\r\n"
    client.writer.write(head.encode())
    connection = (await service.asked.get()).protocol
    assert connection.is_late(math.inf)
    client.writer.write(bytes(LARGE))
    async with asyncio.timeout(5):
        while connection.is_late(math.inf):  # noqa: ASYNC110 - a state
            await asyncio.sleep(0)
    service.gate.set()
    status, _, body = await client.reply()
    assert (status, len(body)) == (200, LARGE)
    client.close()


async def test_who_takes_in_nothing_for_long_is_closed(listening):
    server = await listening(patience=Patience(reading=0.01))
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, (HOST, server.port))
        await loop.sock_sendall(sock, b"GET /large HTTP/1.1\r\nHost: node\r\n\r\n")
        await settled(server)
    assert server.account.dropped == {"ended": 1}
    assert (server.connections.late, server.connections.open) == (1, 0)


async def test_every_request_is_accounted_for(listening, service):
    server = await listening()
    client = await Client.to(server)
    for path in ("/plain", "/", "/plain", "/plain"):
        client.ask(path)
        assert (await client.reply())[0] == 200
    client.writer.write(b"junk\r\n\r\n")
    assert (await client.reply())[0] == 501
    waiting = await Client.to(server)
    waiting.ask("/wait")
    while (await service.asked.get()).path != "/wait":
        pass
    account = server.account
    assert (account.received, account.answered, account.waiting) == (6, 5, 1)
    service.gate.set()
    await waiting.reply()
    await settled(server)
    assert account.answered == 6
    client.close()
    waiting.close()
