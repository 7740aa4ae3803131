"""The batch shell: repeats in their slots, everything else one by one, each to its sender."""

from __future__ import annotations

import asyncio
import socket

import pytest

from resolver.cache.packets import Repeat
from resolver.transports.batches import AVAILABLE, BATCH, ROOM, SLOT
from resolver.transports.udp_batches import listen

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="recvmmsg is Linux's")

SEGMENT = 512


class Front:
    """Repeats what begins with R, answers what begins with A, later what begins with W."""

    id = slice(1, 3)

    def __init__(self, segment: int = 0) -> None:
        self.segment = segment
        self.kept: dict[bytes, Repeat] = {}
        self.peers: set[str] = set()
        self.counted = self.failed = 0
        self.gate = asyncio.Event()

    def repeats(self, datagrams, hosts, now):
        self.peers.update(hosts)
        return [self.kept.get(data[:1] + data[3:]) for data in datagrams]

    def repeated(self, count, seconds):
        self.counted += count

    def datagram(self, data, peer):
        if data[:1] == b"W":
            return self.later(data)
        return None if data[:1] in (b"", b"D") else (b"new:" + data,)

    async def later(self, data):
        await self.gate.wait()
        return (b"late:" + data, b"more")

    def unsent(self, count):
        self.failed += count


class Client:
    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.connect((host, port))
        self.socket.setblocking(False)

    def send(self, *datagrams: bytes) -> None:
        for datagram in datagrams:
            self.socket.send(datagram)

    async def receive(self, count: int) -> list[bytes]:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(5):
            return [await loop.sock_recv(self.socket, 65_536) for _ in range(count)]


@pytest.fixture
async def served():
    opened, used = [], []

    async def serve(front, host="127.0.0.1", clients=1):
        server = await listen(front, host, 0)
        opened.append(server)
        made = [Client(server.port, host) for _ in range(clients)]
        used.extend(made)
        return made

    yield serve
    for server in opened:
        await server.drain(1.0)
    for client in used:
        client.socket.close()


async def test_repeats_go_out_under_the_id_of_their_request(served):
    front = Front()
    front.kept[b"R?"] = Repeat(b"r__ok", (1,), "ok")
    (client,) = await served(front)
    client.send(b"R01?", b"R02?", b"Ax", b"R03?")
    assert await client.receive(4) == [b"r01ok", b"r02ok", b"new:Ax", b"r03ok"]
    assert front.counted == 3
    assert front.peers == {"127.0.0.1"}


async def test_each_sender_gets_its_own_answers(served):
    front = Front()
    front.kept[b"R?"] = Repeat(b"r__", (1,), "ok")
    first, second = await served(front, clients=2)
    for number in range(BATCH):
        first.send(b"R%02d?" % number)
        second.send(b"A%02d" % number, b"D")
    assert await first.receive(BATCH) == [b"r%02d" % number for number in range(BATCH)]
    assert await second.receive(BATCH) == [b"new:A%02d" % number for number in range(BATCH)]


async def test_a_long_answer_comes_in_packets(served):
    front = Front(SEGMENT)
    whole = b"r__" + bytes(SEGMENT - 3) + b"s__" + b"end"
    front.kept[b"R?"] = Repeat(whole, (1, SEGMENT + 1), "ok")
    (client,) = await served(front)
    client.send(b"R77?")
    first, second = await client.receive(2)
    assert first == b"r77" + bytes(SEGMENT - 3)
    assert second == b"s77end"


async def test_what_waits_does_not_hold_up_the_others(served):
    front = Front()
    (client,) = await served(front)
    client.send(b"W1", b"A2")
    assert await client.receive(1) == [b"new:A2"]
    front.gate.set()
    assert await client.receive(2) == [b"late:W1", b"more"]


async def test_answers_of_any_size(served):
    front = Front()
    (client,) = await served(front)
    client.send(b"A" * 10, b"A" * (SLOT - 4), b"A" * (ROOM - 1), b"D" * (ROOM + 1), b"A")
    sizes = [len(reply) for reply in await client.receive(4)]
    assert sorted(sizes) == sorted([14, SLOT, ROOM + 3, 5])


async def test_ipv6(served):
    front = Front(SEGMENT)
    front.kept[b"R?"] = Repeat(b"r__ok", (1,), "ok")
    try:
        (client,) = await served(front, "::1")
    except OSError:
        pytest.skip("no IPv6 here")
    client.send(b"R01?", b"Ax", b"W")
    assert await client.receive(2) == [b"r01ok", b"new:Ax"]
    front.gate.set()
    assert await client.receive(2) == [b"late:W", b"more"]
    assert front.peers == {"::1"}
