"""Asking over real sockets: packets in any order, forgers, silence, refused ports."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from resolver.codecs.handle.asking import Question
from resolver.codecs.handle.fragments import split_message
from resolver.codecs.handle.framing import MessageStream
from resolver.query import Answer, Values
from resolver.transports.outbound import (
    Incomplete,
    Received,
    Silent,
    Unreachable,
    Unusable,
    exchange_tcp,
    exchange_udp,
)
from resolver.transports.tcp import TcpServer
from resolver.transports.udp import UdpServer
from tests.support.fake_network import serve
from tests.support.playbook import values

HOST = "127.0.0.1"
QUESTION = Question(b"88.901/X", 0x0A0B0C0D)
GOOD = values("https://example.org/good")
LONG = values("https://example.org/" + "x" * 4000)
FORGED = values("https://forged.example/")
SOON = 0.05


def reply(request: bytes, answer: Answer = GOOD) -> bytes:
    encoded = serve(lambda _: answer, request)
    assert encoded is not None
    return encoded


def accept(message: bytes) -> Answer:
    return QUESTION.read(message, 0.0)


@asynccontextmanager
async def udp(behaviour: Callable[[bytes], Sequence[bytes] | None]) -> AsyncIterator[int]:
    server = await UdpServer.bind(lambda data, _: behaviour(data), HOST, 0)
    try:
        yield server.port
    finally:
        await server.drain(0)


async def ask_udp(
    behaviour: Callable[[bytes], Sequence[bytes] | None], seconds: float = 5.0
) -> Received[Answer]:
    async with udp(behaviour) as port:
        return await exchange_udp(HOST, port, QUESTION.encode(0.0), accept, seconds)


@asynccontextmanager
async def tcp(behaviour: Callable[[bytes], bytes | None]) -> AsyncIterator[int]:
    server = TcpServer(lambda data, _: behaviour(data), MessageStream, lambda _: None)
    await server.bind(HOST, 0)
    try:
        yield server.port
    finally:
        await server.drain(0)


def closed_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def is_good(received: Received[Answer], answer: Values = GOOD) -> bool:
    return isinstance(received.reply, Values) and received.reply.record == answer.record


async def test_one_packet():
    received = await ask_udp(lambda request: [reply(request)])
    assert is_good(received)
    assert received.octets == len(reply(QUESTION.encode(0.0)))


@pytest.mark.parametrize(
    "order",
    [
        lambda packets: packets,
        lambda packets: packets[::-1],
        lambda packets: [packet for packet in packets for _ in range(2)],
    ],
    ids=["in order", "reversed", "doubled"],
)
async def test_many_packets(order):
    received = await ask_udp(lambda request: order(split_message(reply(request, LONG))))
    assert is_good(received, LONG)


async def test_packets_of_a_server_that_forgets_the_flag():
    def behaviour(request: bytes) -> list[bytes]:
        packets = split_message(reply(request, LONG))
        return [packet[:2] + bytes([packet[2] & ~0x20]) + packet[3:] for packet in packets]

    assert is_good(await ask_udp(behaviour), LONG)


FORGERIES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "junk": lambda _: b"\xff" * 100,
    "the request itself": lambda request: request,
    "wrong id": lambda request: reply(request[:8] + b"\0\0\0\1" + request[12:], FORGED),
    "wrong handle": lambda request: reply(Question(b"88.901/Y", 0x0A0B0C0D).encode(0.0), FORGED),
    "wrong operation": lambda request: reply(request, FORGED)[:20] + b"\0\0\0\2" + bytes(200),
    "cut": lambda request: reply(request, FORGED)[:-9],
    "a lone fragment of another message": lambda request: split_message(
        reply(request[:8] + b"\0\0\0\1" + request[12:], LONG)
    )[0],
    "an error nobody can match": lambda request: reply(
        request[:8] + b"\xff" * 4 + request[12:], FORGED
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
async def test_the_true_answer_after_a_forged_one_is_used(forgery):
    received = await ask_udp(lambda request: [forgery(request), reply(request)])
    assert is_good(received)


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
async def test_a_forged_answer_alone_is_never_used(forgery):
    with pytest.raises((Silent, Unusable, Incomplete)):
        await ask_udp(lambda request: [forgery(request)], SOON)


async def test_an_answer_from_another_address_is_not_heard():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((HOST, 0))
        async with _listening() as (port, heard):
            asking = asyncio.create_task(
                exchange_udp(HOST, port, QUESTION.encode(0.0), accept, SOON)
            )
            request, client = await heard.get()
            stranger.sendto(reply(request, FORGED), client)
            with pytest.raises(Silent):
                await asking


@asynccontextmanager
async def _listening() -> AsyncIterator[tuple[int, asyncio.Queue[tuple[bytes, tuple[str, int]]]]]:
    """A server that says nothing and notes who asked."""
    heard: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()
    server = await UdpServer.bind(
        lambda data, peer: heard.put_nowait((data, (peer[0], peer[1]))), HOST, 0
    )
    try:
        yield server.port, heard
    finally:
        await server.drain(0)


async def test_every_exchange_has_a_port_of_its_own():
    async with _listening() as (port, heard):
        request = QUESTION.encode(0.0)
        exchanges = (exchange_udp(HOST, port, request, accept, SOON) for _ in range(8))
        results = await asyncio.gather(*exchanges, return_exceptions=True)
        assert all(isinstance(result, Silent) for result in results)
        assert len({heard.get_nowait()[1] for _ in range(8)}) == 8


async def test_silence_over_udp():
    with pytest.raises(Silent):
        await ask_udp(lambda _: None, SOON)


async def test_half_a_reply_over_udp():
    with pytest.raises(Incomplete):
        await ask_udp(lambda request: split_message(reply(request, LONG))[1:], SOON)


async def test_a_closed_udp_port():
    port = closed_port(socket.SOCK_DGRAM)
    with pytest.raises(Unreachable):
        await exchange_udp(HOST, port, QUESTION.encode(0.0), accept, 5.0)


async def test_an_address_nobody_can_reach():
    with pytest.raises(Unreachable):
        await exchange_udp("255.255.255.255", 2641, QUESTION.encode(0.0), accept, SOON)


async def test_a_long_reply_over_tcp():
    long = values("https://example.org/" + "x" * 200_000)
    async with tcp(lambda request: reply(request, long)) as port:
        received = await exchange_tcp(HOST, port, QUESTION.encode(0.0), accept, 5.0)
    assert is_good(received, long)


async def test_a_stranger_in_the_tcp_stream_is_passed_over():
    def behaviour(request: bytes) -> bytes:
        return reply(request[:8] + b"\0\0\0\1" + request[12:], FORGED) + reply(request)

    async with tcp(behaviour) as port:
        received = await exchange_tcp(HOST, port, QUESTION.encode(0.0), accept, 5.0)
    assert is_good(received)


async def test_silence_over_tcp():
    async with tcp(lambda _: None) as port:
        with pytest.raises(Silent):
            await exchange_tcp(HOST, port, QUESTION.encode(0.0), accept, SOON)


async def test_a_closed_tcp_port():
    port = closed_port(socket.SOCK_STREAM)
    with pytest.raises(Unreachable):
        await exchange_tcp(HOST, port, QUESTION.encode(0.0), accept, 5.0)


@pytest.mark.parametrize(
    "garbage",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x02\x0b\x02\x0b" + b"\xff" * 16, b"\x02\x0b"],
    ids=["another protocol", "over the limit", "too short"],
)
async def test_garbage_over_tcp(garbage):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(garbage)
        writer.close()

    async with await asyncio.start_server(answer, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises((Unusable, Unreachable)):
            await exchange_tcp(HOST, port, QUESTION.encode(0.0), accept, 5.0)
