"""A server that is behind: the newest first, the aged dropped, every datagram accounted for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from time import time

import pytest

from resolver.transports.account import Account
from resolver.transports.backlog import MAX_KEPT
from resolver.transports.batches import AVAILABLE, BatchSocket
from resolver.transports.datagram_socket import DEADLINE, bound_socket
from resolver.transports.fence import MIN_SEEN
from resolver.transports.overload import TARGET
from resolver.transports.room import MIN_DATAGRAMS
from resolver.transports.slots import BATCH, Field
from resolver.transports.udp import UdpServer
from resolver.transports.udp_batches import LATE, TURNS, BatchServer

#: Long enough for a server to be behind, and for nothing to be aged.
BEHIND = (LATE + DEADLINE) / 2
HOST = "127.0.0.1"


class Clock:
    """The system's clock, ahead by as many seconds as the kernel's stamps are to be old."""

    def __init__(self, ahead: float) -> None:
        self.ahead = ahead

    def __call__(self) -> float:
        return time() + self.ahead


class Front:
    """Sends everything back: what begins with R as a repeat, with W when the gate is open."""

    masked = (Field(0, 2),)
    segment = 0

    def __init__(self) -> None:
        self.order: list[bytes] = []
        self.before: dict[int, Callable[[], None]] = {}
        self.gate = asyncio.Event()

    def at_once(self, datagrams, senders, now, admits):
        found = [b"__" + data[2:] if data[2:3] == b"R" else None for data in datagrams]
        known = len(found) - found.count(None)
        if known < len(found):
            admits(known, len(found))
        return found, known

    def answered(self, count, seconds):
        pass

    def datagram(self, data, peer):
        self.before.get(len(self.order), lambda: None)()
        self.order.append(data)
        return self.later(data) if data[2:3] == b"W" else (data,)

    async def later(self, data):
        await self.gate.wait()
        return (data,)

    def unsent(self, count):
        pass


@pytest.fixture
def client():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        sock.setblocking(False)
        sock.bind((HOST, 0))
        yield sock


@pytest.fixture
async def served(client):
    servers = []

    def serve(front: Front, ahead: float) -> BatchServer:
        bound = BatchSocket(bound_socket(HOST, 0), front.masked, front.segment)
        servers.append(BatchServer(front, bound, Account(), Clock(ahead)))
        client.connect((HOST, servers[-1].port))
        return servers[-1]

    yield serve
    for server in servers:
        await server.drain(1.0)


def numbered(count: int, kind: bytes = b"A") -> list[bytes]:
    return [b"%c%c%c%04d" % (n >> 8, n & 255, kind[0], n) for n in range(count)]


async def ended(account: Account, count: int) -> None:
    """Wait until so many have come and ended."""
    async with asyncio.timeout(5):
        while account.received < count or account.waiting:  # noqa: ASYNC110 - numbers are no events
            await asyncio.sleep(0)


async def replies(client: socket.socket, count: int) -> list[bytes]:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(5):
        return [await loop.sock_recv(client, 100) for _ in range(count)]


pytestmark = pytest.mark.skipif(not AVAILABLE, reason="recvmmsg is Linux's")


async def test_what_is_behind_is_answered_from_the_newest_batch_on(served, client):
    front = Front()
    server = served(front, BEHIND)
    sent = numbered(2 * BATCH + 10)
    for datagram in sent:
        client.send(datagram)
    assert await replies(client, len(sent)) == front.order
    assert front.order == sent[2 * BATCH :] + sent[BATCH : 2 * BATCH] + sent[:BATCH]
    assert server.account.answered == server.account.received == len(sent)


async def test_repeats_have_their_ids_in_any_order(served, client):
    front = Front()
    served(front, BEHIND)
    sent = numbered(2 * BATCH + 10, b"R")
    for datagram in sent:
        client.send(datagram)
    assert sorted(await replies(client, len(sent))) == sent
    assert front.order == []


async def test_the_aged_are_dropped(served, client):
    front = Front()
    server = served(front, 2 * DEADLINE)
    for datagram in numbered(BATCH + 10):
        client.send(datagram)
    await ended(server.account, BATCH + 10)
    assert front.order == []
    assert server.account.dropped == {"aged": BATCH + 10}


async def test_only_the_aged_of_a_batch_are_dropped(served, client):
    front = Front()
    server = served(front, BEHIND)
    aged, fresh = numbered(20)[:10], numbered(20)[10:]
    for datagram in aged:
        client.send(datagram)
    client.setblocking(True)
    moment = time()
    while time() <= moment:  # the next stamp is a later one
        pass
    for datagram in fresh:
        client.send(datagram)
    client.setblocking(False)
    server._clock = lambda: moment + DEADLINE  # noqa: SLF001
    assert await replies(client, 10) == fresh
    assert server.account.dropped == {"aged": 10}


async def test_when_there_are_too_many_the_oldest_make_room(served, client):
    front = Front()
    server = served(front, BEHIND)
    sent = numbered((MAX_KEPT + 2) * BATCH)
    for datagram in sent:
        client.send(datagram)
    assert sorted(await replies(client, MAX_KEPT * BATCH)) == sent[2 * BATCH :]
    assert server.account.dropped == {"backlog": 2 * BATCH}
    assert server.account.received == len(sent)


async def test_what_comes_meanwhile_goes_first(served, client):
    front = Front()
    server = served(front, BEHIND)
    sent = numbered(7 * BATCH)
    front.before[0] = lambda: [client.send(datagram) for datagram in sent[6 * BATCH :]]
    for datagram in sent[: 6 * BATCH]:
        client.send(datagram)
    answered = await replies(client, len(sent))
    assert answered[:BATCH] == sent[5 * BATCH : 6 * BATCH]
    assert answered[TURNS * BATCH : (TURNS + 1) * BATCH] == sent[6 * BATCH :]
    assert answered[-BATCH:] == sent[:BATCH]
    assert server.account.answered == len(sent)


async def test_what_waits_on_the_stack_ends_with_the_server(served, client):
    front = Front()
    server = served(front, BEHIND)
    sent = numbered(6 * BATCH)
    for datagram in sent:
        client.send(datagram)
    await replies(client, 1)
    account = server.account
    assert account.received == account.answered + account.waiting
    await server.drain(0)
    assert account.received == account.answered + account.dropped.total()
    assert account.waiting == 0


def standing(server: BatchServer, front: Front, after: int) -> None:
    """Have the server find, after some batches, that it has been late for long."""
    clock = Clock(TARGET + LATE / 2)
    server._clock = clock  # noqa: SLF001
    front.before[(after - 1) * BATCH] = lambda: setattr(clock, "ahead", BEHIND)


async def test_when_the_overload_stands_the_socket_holds_less(served, client):
    front = Front()
    server = served(front, 0.0)
    standing(server, front, after=1)
    sent = numbered(8 * BATCH)
    for datagram in sent:
        client.send(datagram)
    kept = MIN_DATAGRAMS // BATCH
    assert await replies(client, (1 + kept) * BATCH) == sent[:BATCH] + [
        datagram
        for batch in range(7, 7 - kept, -1)
        for datagram in sent[batch * BATCH : (batch + 1) * BATCH]
    ]
    assert server.account.dropped == {"backlog": (7 - kept) * BATCH}
    for _ in range(4 * MIN_DATAGRAMS):
        client.send(b"00D")
    assert server.lost > 0


async def test_when_the_overload_stands_repeats_go_first(served, client):
    front = Front()
    server = served(front, 0.0)
    standing(server, front, after=2)
    quarter = [b"%bR%b" % (one[:2], one[3:]) if one[1] % 4 else one for one in numbered(1000)]
    # While the first of what is kept of them is served whole, more comes than the socket holds.
    front.before[2 * BATCH] = lambda: [client.send(datagram) for datagram in quarter]
    sent = numbered(2 * BATCH) + quarter[: 6 * BATCH]
    for datagram in sent:
        client.send(datagram)
    account, came = server.account, len(sent) + len(quarter)
    async with asyncio.timeout(5):
        while account.received + server.lost < came or account.waiting:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
    assert account.dropped["uncached"] > 0
    assert account.dropped["uncached"] < account.answered
    assert account.received == account.answered + account.dropped.total()


async def test_when_the_overload_stands_who_floods_is_held_back(served, client):
    front = Front()
    server = served(front, 0.0)
    standing(server, front, after=MIN_SEEN // BATCH)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
        flood.bind(("127.0.0.2", 0))
        flood.connect((HOST, server.port))
        for datagram in numbered(8 * BATCH):
            flood.send(datagram)
            if datagram[-1:] == b"0":
                client.send(datagram)
        await ended(server.account, 8 * BATCH + 8 * BATCH // 10 + 1)
        before = server.lost
        for _ in range(1000):
            flood.send(b"00D")
        assert server.lost > before
        before = server.lost
        client.send(b"00D")
        assert server.lost == before


async def test_one_by_one_the_aged_are_dropped_as_well(client):
    server = UdpServer(lambda data, peer: (data,), bound_socket(HOST, 0), clock=Clock(2 * DEADLINE))
    client.connect((HOST, server.port))
    client.send(b"1")
    await ended(server.account, 1)
    assert server.account.dropped == {"aged": 1}
    await server.drain(1.0)
