"""A kept connection against servers that behave and servers that do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from resolver.codecs.handle.asking import Question
from resolver.codecs.handle.header import CN
from resolver.codecs.handle.message import Message, decode_message, encode_message
from resolver.codecs.handle.reply import reply_to, stream_refused
from resolver.transports.kept import ConnectionLost, KeptConnection
from resolver.transports.outbound import Silent, Unreachable, Unusable

HOST = "127.0.0.1"
NOW = 1_800_000_000.0
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def request(request_id: int) -> bytes:
    return Question(b"88.1/X", request_id).encode(NOW)


def reply(octets: bytes, text: bytes = b"", more: bool = False) -> bytes:
    flags = CN if more else 0
    return encode_message(reply_to(decode_message(octets), 1, text, serial=1, now=NOW, flags=flags))


async def read(reader: asyncio.StreamReader) -> bytes:
    envelope = await reader.readexactly(20)
    return envelope + await reader.readexactly(int.from_bytes(envelope[16:20], "big"))


@asynccontextmanager
async def connected(serve: Serve) -> AsyncIterator[KeptConnection]:
    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(served, HOST, 0)
    connection = await KeptConnection.open(HOST, server.sockets[0].getsockname()[1], 5.0)
    try:
        yield connection
    finally:
        connection.close()
        server.close()
        await server.wait_closed()


async def ask(connection: KeptConnection, request_id: int, seconds: float = 5.0) -> list[Message]:
    """The messages of the reply to a request."""
    got: list[Message] = []

    def receive(octets: bytes) -> bool:
        got.append(decode_message(octets))
        return bool(got[-1].op_flags & CN)

    await connection.exchange(request(request_id), receive, seconds)
    return got


async def test_replies_find_their_requests_in_any_order():
    async def serve(reader, writer):
        requests = [await read(reader) for _ in range(3)]
        for octets in reversed(requests):
            writer.write(reply(octets))

    async with connected(serve) as connection:
        replies = await asyncio.gather(*(ask(connection, number) for number in (1, 2, 3)))
        assert [messages[0].request_id for messages in replies] == [1, 2, 3]
        assert connection.answered == 3


async def test_replies_of_several_messages_between_others():
    async def serve(reader, writer):
        first, second = await read(reader), await read(reader)
        for octets in (reply(first, b"a", True), reply(second), reply(first, b"b")):
            writer.write(octets)

    async with connected(serve) as connection:
        first, second = await asyncio.gather(ask(connection, 1), ask(connection, 2))
    assert [message.body for message in first] == [b"a", b"b"]
    assert len(second) == 1


async def test_messages_that_nobody_waits_for_are_passed_over():
    async def serve(reader, writer):
        octets = await read(reader)
        writer.write(reply(request(77)) + reply(octets) + reply(octets))
        writer.write(reply(await read(reader)))

    async with connected(serve) as connection:
        assert len(await ask(connection, 1)) == 1
        assert len(await ask(connection, 2)) == 1


async def test_an_end_is_told_to_all_who_wait():
    async def serve(reader, writer):
        await read(reader)
        await read(reader)

    async with connected(serve) as connection:
        ends = await asyncio.gather(ask(connection, 1), ask(connection, 2), return_exceptions=True)
        assert [type(end) for end in ends] == [ConnectionLost, ConnectionLost]
        assert connection.closed
        with pytest.raises(ConnectionLost):
            await ask(connection, 3)


@pytest.mark.parametrize(
    "octets",
    [bytes(40), encode_message(stream_refused("no message", now=NOW))],
    ids=["no message", "a refusal without a request"],
)
async def test_nonsense_ends_the_connection(octets):
    async def serve(reader, writer):
        await read(reader)
        writer.write(octets)
        await reader.read()

    async with connected(serve) as connection:
        with pytest.raises(Unusable):
            await ask(connection, 1)
        assert connection.closed


async def test_a_reply_that_cannot_be_read():
    async def serve(reader, writer):
        whole = reply(await read(reader), b"text")
        writer.write(whole[:43] + b"\xff" + whole[44:])
        writer.write(reply(await read(reader)))

    async with connected(serve) as connection:
        with pytest.raises(Unusable):
            await ask(connection, 1)
        assert len(await ask(connection, 2)) == 1


async def test_a_reply_that_stops_half_way():
    turn = asyncio.Event()

    async def serve(reader, writer):
        octets = await read(reader)
        writer.write(reply(octets, more=True))
        await turn.wait()

    async with connected(serve) as connection:
        with pytest.raises(Silent):
            await ask(connection, 1, 0.05)
        turn.set()


async def test_nobody_listens():
    with pytest.raises(Unreachable):
        await KeptConnection.open(HOST, 1, 5.0)
