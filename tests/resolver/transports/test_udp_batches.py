"""The batch shell: repeats in their slots, everything else one by one, each to its sender."""

from __future__ import annotations

import asyncio
import socket

import pytest

from resolver.transports.answers import SLOT
from resolver.transports.arrivals import ROOM
from resolver.transports.batches import AVAILABLE
from resolver.transports.slots import BATCH, Field
from resolver.transports.udp_batches import listen

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="recvmmsg is Linux's")

SEGMENT = 512
KEY = b"R:" + bytes(6) + b"?"


def asking(number: int) -> bytes:
    """A request with this id that repeats others."""
    return b"R:%02d%04d?" % (number, number)


class Front:
    """Repeats what begins with R, answers what begins with A, later what begins with W."""

    masked = (Field(2, 2), Field(4, 4))

    def __init__(self, segment: int = 0) -> None:
        self.segment = segment
        self.kept: dict[bytes, bytes] = {}
        self.peers: set[str] = set()
        self.counted = self.failed = 0
        self.gate = asyncio.Event()

    def at_once(self, datagrams, senders, now, admits):
        hosts = senders.hosts()
        assert set(hosts) == senders.distinct_hosts()
        assert len(hosts) == len(datagrams)
        self.peers.update(hosts)
        found = [self.kept.get(data) for data in datagrams]
        return found, len(found) - found.count(None)

    def answered(self, count, seconds):
        self.counted += count

    def datagram(self, data, peer):
        if data[:1] == b"W":
            return self.later(data)
        return None if data[:1] in (b"", b"D") else (data.lower(),)

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
        front.server = server
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
    front.kept[KEY] = b"r:__ok"
    (client,) = await served(front)
    client.send(asking(1), asking(2), b"Ax", asking(3))
    assert await client.receive(4) == [b"r:01ok", b"r:02ok", b"ax", b"r:03ok"]
    assert front.counted == 3
    assert front.peers == {"127.0.0.1"}


async def test_each_sender_gets_its_own_answers(served):
    front = Front()
    front.kept[KEY] = b"r:__"
    first, second = await served(front, clients=2)
    for number in range(BATCH):
        first.send(asking(number))
        second.send(b"A%02d" % number, b"D")
    assert await first.receive(BATCH) == [b"r:%02d" % number for number in range(BATCH)]
    assert await second.receive(BATCH) == [b"a%02d" % number for number in range(BATCH)]


async def test_a_long_answer_comes_in_packets(served):
    front = Front(SEGMENT)
    whole = b"r:__" + bytes(SEGMENT - 4) + b"s:__" + b"end"
    front.kept[KEY] = whole
    (client,) = await served(front)
    client.send(asking(77))
    first, second = await client.receive(2)
    assert first == b"r:77" + bytes(SEGMENT - 4)
    assert second == b"s:77end"


async def test_what_waits_does_not_hold_up_the_others(served):
    front = Front()
    (client,) = await served(front)
    client.send(b"W1", b"A2")
    assert await client.receive(1) == [b"a2"]
    front.gate.set()
    assert await client.receive(2) == [b"late:W1", b"more"]


async def test_answers_of_any_size(served):
    front = Front()
    (client,) = await served(front)
    client.send(b"A" * 10, b"A" * (SLOT - 4), b"A" * (ROOM - 1), b"D" * (ROOM + 1), b"A")
    sizes = [len(reply) for reply in await client.receive(4)]
    assert sorted(sizes) == [1, 10, SLOT - 4, ROOM - 1]


@pytest.mark.parametrize("sizes", [(4, 1024, 5), (4, 1025, 5), (1024, SLOT, 4), (SLOT,) * 3])
async def test_kept_answers_of_any_size(served, sizes):
    front = Front()
    keys = [b"R:" + bytes(6) + bytes([97 + place]) for place in range(len(sizes))]
    for key, size in zip(keys, sizes, strict=True):
        front.kept[key] = key[-1:] * 2 + b"__" + bytes(size - 4)
    (client,) = await served(front)
    for turn in range(2):
        client.send(
            *(b"R:%02d0000" % (turn * 10 + place) + key[-1:] for place, key in enumerate(keys))
        )
        for place, (key, size) in enumerate(zip(keys, sizes, strict=True)):
            (reply,) = await client.receive(1)
            assert reply == key[-1:] * 2 + b"%02d" % (turn * 10 + place) + bytes(size - 4)


async def test_ipv6(served):
    front = Front(SEGMENT)
    front.kept[KEY] = b"r:__ok"
    try:
        (client,) = await served(front, "::1")
    except OSError:
        pytest.skip("no IPv6 here")
    client.send(asking(1), b"Ax", b"W")
    assert await client.receive(2) == [b"r:01ok", b"ax"]
    front.gate.set()
    assert await client.receive(2) == [b"late:W", b"more"]
    assert front.peers == {"::1"}


async def test_every_datagram_is_accounted_for(served):
    front = Front()
    front.kept[KEY] = b"r:__"
    (client,) = await served(front)
    mixed = [asking(1), b"Ax", b"D", b"W1", b"D" * (ROOM + 1)] * 20
    client.send(*mixed)
    await client.receive(40)
    client.send(b"A")
    await client.receive(1)
    account = front.server.account
    assert account.received + front.server.lost == len(mixed) + 1
    assert (account.answered, account.dropped, account.waiting) == (41, {"unanswerable": 40}, 20)
    front.gate.set()
    await client.receive(40)
    assert (account.answered, account.dropped, account.waiting) == (61, {"unanswerable": 40}, 0)
    assert front.failed == 0


async def test_an_answer_that_never_comes_ends_with_the_server(served):
    front = Front()
    (client,) = await served(front)
    client.send(b"W1", b"A")
    await client.receive(1)
    await front.server.drain(0)
    account = front.server.account
    assert (account.answered, account.dropped, account.waiting) == (1, {"ended": 1}, 0)


async def test_who_has_too_many_waiting_is_dropped_before_any_work(served):
    front = Front()
    front.kept[KEY] = b"r:__"
    (client,) = await served(front)
    for _ in range(5):
        client.send(*[b"W"] * 500)
        client.send(asking(1))
        await client.receive(1)
    account = front.server.account
    # On a busy machine the newest are answered first, and the others may still be to come.
    async with asyncio.timeout(5):
        while account.dropped.total() < 2500 - 2048:  # noqa: ASYNC110 - a number is no event
            await asyncio.sleep(0)
    assert account.waiting == 2048
    assert account.dropped == {"crowded": 2500 - 2048}
    front.gate.set()
    await front.server.drain(5)
    assert account.received == account.answered + account.dropped.total()
