"""Plain requests and others on one connection: each answered once and in order."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from registry.http.problem import problem
from resolver.transports.http import HttpServer

HEAD = b"Host: node\r\n\r\n"


class Front:
    """Knows /api/handles/plain, and counts what comes to it."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def reply(self, line):
        self.lines.append(line)
        if line != b"GET /api/handles/plain HTTP/1.1":
            return None
        return b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain"

    def refuse(self, outcome, detail, target=""):
        return problem(outcome, detail, instance=target)


@pytest.fixture
async def node():
    async def full(request):
        body = await request.read()
        return web.Response(text=f"full {request.method} {request.path} {len(body)}")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", full)
    front = Front()
    server = HttpServer(app, front, front)
    await server.bind("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    yield front, reader, writer
    writer.close()
    await server.drain()


async def reply_to(node, *pieces: bytes) -> str:
    _, reader, writer = node
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
    return await one_reply(reader)


async def one_reply(reader) -> str:
    async with asyncio.timeout(5):
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return (await reader.readexactly(length)).decode()


def get(path: bytes, headers: bytes = b"") -> bytes:
    return b"GET /api/handles/" + path + b" HTTP/1.1\r\n" + headers + HEAD


async def test_plain_requests_and_others_take_turns(node):
    front = node[0]
    assert await reply_to(node, get(b"plain")) == "plain"
    assert await reply_to(node, get(b"other")) == "full GET /api/handles/other 0"
    assert await reply_to(node, get(b"plain")) == "plain"
    assert len(front.lines) == 3


async def test_what_is_not_plain_makes_the_connection_the_full_servers(node):
    front = node[0]
    assert await reply_to(node, get(b"plain", b"Origin: a\r\n")) == "full GET /api/handles/plain 0"
    assert await reply_to(node, get(b"plain")) == "full GET /api/handles/plain 0"
    assert front.lines == []


async def test_a_request_in_the_body_of_another_is_not_answered(node):
    front = node[0]
    inner = get(b"plain")
    head = b"POST /api/x HTTP/1.1\r\nContent-Length: %d\r\n" % len(inner) + HEAD
    assert await reply_to(node, head, inner) == f"full POST /api/x {len(inner)}"
    assert front.lines == []


async def test_a_request_that_comes_in_pieces_is_answered_once(node):
    whole = get(b"plain")
    either = ("plain", "full GET /api/handles/plain 0")
    assert await reply_to(node, whole[:30], whole[30:]) in either
    assert await reply_to(node, get(b"other")) == "full GET /api/handles/other 0"


async def test_several_requests_at_once_are_answered_in_order(node):
    _, reader, writer = node
    writer.write(get(b"other") + get(b"plain"))
    assert await one_reply(reader) == "full GET /api/handles/other 0"
    assert await one_reply(reader) == "full GET /api/handles/plain 0"


async def test_a_line_that_only_looks_plain_ends_it(node):
    front, reader, writer = node
    body = get(b"plain")
    cut = b"GET /api/handles/x HTTP/1.1\nContent-Length: %d\r\n" % len(body) + HEAD
    writer.write(cut)
    async with asyncio.timeout(5):
        assert b" 400 " in await reader.readline()
        writer.write(body)
        await reader.read()
    assert [line for line in front.lines if line.startswith(b"GET /api/handles/plain")] == []
