"""HTTP requests that a worker hands on: as they came, both ways at once, and lost writers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from yarl import URL

from resolver.transports.forwarding import ForTheWriter, Forwarder, add_forwarded, paths_of
from resolver.transports.http import HttpServer
from resolver.workers.place import Place

HOST = "127.0.0.1"
NAME = "http.sock"


class Refusing:
    """Has words for what is no HTTP; nothing here is."""

    def refuse(self, outcome: Any, detail: str, target: str = "") -> Any:
        return outcome.http, {}, detail.encode()


async def facts(request: web.Request) -> web.Response:
    """What the writer sees of a request."""
    body = await request.read()
    seen = {
        "method": request.method,
        "target": request.raw_path,
        "remote": request.remote,
        "secure": request.secure,
        "host": request.host,
        "headers": {name.lower(): text for name, text in request.headers.items()},
        "body": body.decode(),
    }
    return web.json_response(seen, status=201, headers={"ETag": '"7"'})


async def echo(request: web.Request) -> web.StreamResponse:
    """Answers line by line while it reads."""
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    while line := await request.content.readline():
        await response.write(line.upper())
    await response.write_eof()
    return response


async def cut(request: web.Request) -> web.StreamResponse:
    """Breaks off within a reply."""
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b"so far")
    assert request.transport is not None
    request.transport.abort()
    return response


async def never(request: web.Request) -> web.Response:
    """Breaks off before it replies."""
    await request.read()
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def local(request: web.Request) -> web.Response:
    if "theirs" in request.query:
        await request.read()
        raise ForTheWriter()
    return web.Response(text="local")


def writers(app: web.Application) -> None:
    app.router.add_route("*", "/v1/identifiers/{prefix}/{suffix}", facts)
    app.router.add_route("*", "/mixed", facts)
    app.router.add_post("/echo", echo)
    app.router.add_get("/cut", cut)
    app.router.add_route("*", "/never", never)
    app.router.add_route("*", "/api/never", never)


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


@pytest_asyncio.fixture
async def writer(place: Place) -> AsyncIterator[HttpServer]:
    app = web.Application()
    for add in (add_forwarded, writers):
        add(app)
    server = HttpServer(app, Refusing())
    await server.bind(HOST, 0)
    await server.bind_unix(place.address(NAME))
    yield server
    await server.drain()


@pytest_asyncio.fixture
async def worker(place: Place) -> AsyncIterator[str]:
    """The URL of a worker; there need be no writer."""
    async with AsyncExitStack() as stack:
        forwarder = Forwarder(place.address(NAME))
        stack.push_async_callback(forwarder.close)
        app = web.Application()
        forwarder.routes([path for path in paths_of([writers]) if path != "/mixed"])(app)
        app.router.add_route("*", "/mixed", local)
        server = HttpServer(app, Refusing())
        await server.bind(HOST, 0)
        stack.push_async_callback(server.drain)
        yield f"http://{HOST}:{server.port}"


@pytest_asyncio.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


def test_the_paths_of_resources():
    found = paths_of([writers, add_forwarded])
    assert "/v1/identifiers/{rest:(?s:.*)}" in found
    assert "/echo" in found
    assert len(found) == 6


async def test_a_request_arrives_as_it_came(writer, worker, client):
    target = "/v1/identifiers/88.901/A%2fB%20%E9%A6%96?existing=same"
    headers = {"If-Match": '"3"', "Idnode-Remote": "192.0.2.9", "TE": "trailers"}
    url = URL(worker + target, encoded=True)
    async with client.put(url, data=b'{"values": []}', headers=headers) as reply:
        seen = await reply.json()
        assert (reply.status, reply.headers["ETag"]) == (201, '"7"')
    assert seen["method"] == "PUT"
    assert seen["target"] == target
    assert seen["remote"] == HOST
    assert seen["secure"] is False
    assert seen["host"] == worker.removeprefix("http://")
    assert seen["body"] == '{"values": []}'
    assert seen["headers"]["if-match"] == '"3"'
    assert "te" not in seen["headers"]


async def test_nobody_else_tells_the_writer_where_a_request_came_from(writer, client):
    headers = {"Idnode-Remote": "192.0.2.9", "Idnode-Scheme": "https"}
    url = f"http://{HOST}:{writer.port}/v1/identifiers/88.901/A"
    async with client.get(url, headers=headers) as reply:
        seen = await reply.json()
    assert (seen["remote"], seen["secure"]) == (HOST, False)


async def test_what_turns_out_to_be_for_the_writer_goes_there_with_its_body(writer, worker, client):
    async with client.post(f"{worker}/mixed", data=b"ours") as reply:
        assert await reply.text() == "local"
    async with client.post(f"{worker}/mixed?theirs", data=b"theirs") as reply:
        assert (await reply.json())["body"] == "theirs"
    async with client.get(f"{worker}/mixed?theirs") as reply:
        assert (await reply.json())["body"] == ""


async def test_a_head_request_has_headers_and_no_body(writer, worker, client):
    async with client.head(f"{worker}/mixed?theirs") as reply:
        assert reply.status == 201
        assert int(reply.headers["Content-Length"]) > 0
        assert await reply.read() == b""


async def test_an_upload_is_answered_while_it_goes(writer, worker, client):
    answered = asyncio.Event()

    async def lines() -> AsyncIterator[bytes]:
        yield b"one\n"
        await answered.wait()
        yield b"two\n"

    async with client.post(f"{worker}/echo", data=lines()) as reply:
        assert await reply.content.readline() == b"ONE\n"
        answered.set()
        assert await reply.content.read() == b"TWO\n"


async def test_an_upload_that_is_cut_off_reaches_no_end(writer, worker):
    port = int(worker.rpartition(":")[2])
    reader, sender = await asyncio.open_connection(HOST, port)
    sender.write(
        b"POST /v1/identifiers/88.901/A HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    )
    sender.write_eof()
    async with asyncio.timeout(10):
        said = await reader.read()
    sender.close()
    assert said.startswith(b"HTTP/1.1 500 "), "whether it did anything is not known"
    assert b"outcome-unknown" in said


async def test_without_a_writer_nothing_is_done_and_that_is_said(worker, client):
    async with client.put(f"{worker}/v1/identifiers/88.901/A", data=b"{}") as reply:
        assert reply.status == 503
        assert (await reply.json())["code"] == "overloaded"
    async with client.put(f"{worker}/api/never", data=b"{}") as reply:
        assert reply.status == 503
        assert (await reply.json())["responseCode"] == 3


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/never", 503, {"code": "overloaded"}),
        ("PUT", "/never", 500, {"code": "outcome-unknown"}),
        ("POST", "/api/never", 500, {"responseCode": 2}),
    ],
)
async def test_a_writer_lost_before_it_replied(writer, worker, client, method, path, status, code):
    async with client.request(method, worker + path) as reply:
        assert reply.status == status
        said = json.loads(await reply.read())
    assert {name: said[name] for name in code} == code


async def test_a_writer_lost_within_its_reply(writer, worker, client):
    async with client.get(f"{worker}/cut") as reply:
        with pytest.raises(aiohttp.ClientError):
            await reply.read()
