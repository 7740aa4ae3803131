"""The UDP and TCP shells: order, waits, idle connections, cut streams, drain."""

from __future__ import annotations

import asyncio

import pytest

from registry.errors import DecodeError
from resolver.codecs.dns.framing import Splitter, frame
from resolver.transports.connections import Patience
from resolver.transports.tcp import TcpServer
from resolver.transports.udp import UdpServer

HOST = "127.0.0.1"


class Garbage:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, error: DecodeError) -> bytes:
        self.seen.append(str(error))
        return b"last words"


@pytest.fixture
def garbage() -> Garbage:
    return Garbage()


async def serve_tcp(answer, garbage, **options) -> TcpServer:
    server = TcpServer(answer, Splitter, garbage, **options)
    await server.bind(HOST, 0)
    return server


async def test_many_requests_on_one_connection(garbage):
    server = await serve_tcp(lambda message, peer: frame(message[::-1]), garbage)
    reader, writer = await asyncio.open_connection(HOST, server.port)
    writer.write(frame(b"abc") + frame(b"def")[:3])
    assert await reader.readexactly(5) == frame(b"cba")
    writer.write(frame(b"def")[3:])
    assert await reader.readexactly(5) == frame(b"fed")
    writer.close()
    await server.drain(1.0)
    assert garbage.seen == []


async def test_an_answer_that_waits_does_not_hold_up_the_next(garbage):
    gate = asyncio.Event()

    async def later(message: bytes) -> bytes:
        await gate.wait()
        return frame(message)

    def answer(message, peer):
        return later(message) if message == b"slow" else frame(message)

    server = await serve_tcp(answer, garbage)
    reader, writer = await asyncio.open_connection(HOST, server.port)
    writer.write(frame(b"slow") + frame(b"fast"))
    writer.write_eof()
    assert await reader.readexactly(6) == frame(b"fast")
    gate.set()
    assert await reader.read() == frame(b"slow")
    writer.close()
    await server.drain(1.0)


async def test_a_stream_cut_within_a_message_gets_the_last_words(garbage):
    server = await serve_tcp(lambda message, peer: None, garbage)
    reader, writer = await asyncio.open_connection(HOST, server.port)
    writer.write(frame(b"abc")[:3])
    writer.write_eof()
    assert await reader.read() == b"last words"
    assert garbage.seen == ["the stream ended within a message"]
    writer.close()
    await server.drain(1.0)


async def test_an_idle_connection_is_closed(garbage):
    server = await serve_tcp(lambda message, peer: None, garbage, patience=Patience(rest=0.01))
    reader, writer = await asyncio.open_connection(HOST, server.port)
    assert await reader.read() == b""
    writer.close()
    await server.drain(1.0)


async def test_drain_finishes_what_is_under_way(garbage):
    started, gate = asyncio.Event(), asyncio.Event()

    async def later(message: bytes) -> bytes:
        started.set()
        await gate.wait()
        return frame(message)

    server = await serve_tcp(lambda message, peer: later(message), garbage)
    port = server.port
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(frame(b"abc"))
    await started.wait()
    draining = asyncio.create_task(server.drain(5.0))
    gate.set()
    assert await reader.read() == frame(b"abc")
    await draining
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HOST, port)


class Client(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.received.put_nowait(data)


async def udp_pair(serve):
    server = await UdpServer.bind(serve, HOST, 0)
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_datagram_endpoint(Client, remote_addr=(HOST, server.port))
    return server, transport, client


async def test_datagrams_are_answered_dropped_or_answered_later():
    gate = asyncio.Event()

    async def later():
        await gate.wait()
        return [b"later"]

    def serve(data, peer):
        return {b"now": [b"1", b"2"], b"drop": None}.get(data) or (
            later() if data == b"later" else None
        )

    server, transport, client = await udp_pair(serve)
    for request in (b"later", b"drop", b"now"):
        transport.sendto(request)
    assert [await client.received.get() for _ in range(2)] == [b"1", b"2"]
    gate.set()
    assert await client.received.get() == b"later"
    transport.close()
    await server.drain(1.0)


async def test_a_failure_of_one_answer_is_told_to_the_loop_and_harms_no_other():
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))

    async def fail():
        raise RuntimeError("broken")

    server, transport, client = await udp_pair(
        lambda data, peer: fail() if data == b"fail" else [data]
    )
    transport.sendto(b"fail")
    transport.sendto(b"fine")
    assert await client.received.get() == b"fine"
    assert [str(context["exception"]) for context in told] == ["broken"]
    transport.close()
    await server.drain(1.0)
