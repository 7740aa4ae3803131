"""One connection's turns: what is served together, what goes out together, and what is counted."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.codecs.dns.framing import Splitter, frame
from resolver.transports.account import Account
from resolver.transports.connections import Connections, Patience
from resolver.transports.shares import Shares
from resolver.transports.stream import MAX_WAITING, SMALL, TURN, StreamConnection
from resolver.transports.stream_service import Service
from resolver.transports.tcp import MAX_UNDER_WAY


class Wire(asyncio.Transport):
    """The other end: what was written to it, and whether anything is read from it."""

    def __init__(self, source="127.0.0.1"):
        super().__init__({"peername": (source, 1)})
        self.writes = []
        self.reading = True
        self.closed = False

    def write(self, data):
        self.writes.append(data)

    def is_closing(self):
        return self.closed

    def close(self):
        self.closed = True

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True


class Node:
    """Answers with what it is asked, long for L, never for D, at the gate for W."""

    def __init__(self, places=MAX_UNDER_WAY):
        self.served = []
        self.gate = asyncio.Event()
        self.account = Account()
        self._service = Service(
            self.serve,
            lambda message, context: frame(b"busy"),
            Splitter,
            lambda error: frame(b"last words"),
            lambda peer, send: peer,
            self.account,
            Connections(),
            Shares(places),
            Patience(),
        )

    def serve(self, message, context):
        self.served.append(message)
        if message[:1] == b"W":
            return self.later(message)
        if message[:1] == b"D":
            return None
        return frame(message + bytes(SMALL if message[:1] == b"L" else 0))

    async def later(self, message):
        await self.gate.wait()
        return frame(message)

    def connect(self, source="127.0.0.1"):
        connection, wire = StreamConnection(self._service), Wire(source)
        connection.connection_made(wire)
        return connection, wire

    @property
    def balanced(self):
        account = self.account
        ended = account.answered + account.refused + account.dropped.total()
        return account.received == ended + account.waiting


@pytest.fixture
async def node():
    return Node()


def numbered(count, kind=b"a"):
    return [kind + b"%d" % number for number in range(count)]


async def test_what_comes_in_one_read_is_answered_in_one_write_and_in_order(node):
    connection, wire = node.connect()
    sent = [frame(message) for message in numbered(TURN)]
    connection.data_received(b"".join(sent))
    assert wire.writes == [b"".join(sent)]


async def test_one_request_is_answered_by_its_reply(node):
    connection, wire = node.connect()
    for _ in range(2):
        connection.data_received(frame(b"a"))
    assert wire.writes == [frame(b"a")] * 2
    assert wire.reading


async def test_long_replies_are_not_gathered(node):
    connection, wire = node.connect()
    connection.data_received(frame(b"a") + frame(b"L") + frame(b"b"))
    long = frame(b"L" + bytes(SMALL))
    assert wire.writes == [frame(b"a") + long, frame(b"b")]


async def test_nothing_is_served_to_who_takes_nothing_in(node):
    connection, wire = node.connect()
    wire.write = lambda data: connection.pause_writing()
    connection.data_received(frame(b"L") * 3)
    assert node.served == [b"L"]
    assert not wire.reading
    del wire.write
    connection.resume_writing()
    assert node.served == [b"L"] * 3
    assert wire.reading


async def test_others_have_their_turn_before_a_long_queue_is_served(node):
    connection, wire = node.connect()
    greedy = numbered(3 * TURN)
    connection.data_received(b"".join(map(frame, greedy)))
    assert not wire.reading
    other, others = node.connect("127.0.0.2")
    other.data_received(frame(b"b"))
    assert others.writes == [frame(b"b")]
    for _ in range(3):
        await asyncio.sleep(0)
    assert node.served == [*greedy[:TURN], b"b", *greedy[TURN:]]
    assert b"".join(wire.writes) == b"".join(map(frame, greedy))
    assert len(wire.writes) == 3
    assert wire.reading


async def test_half_a_request_waits_for_the_rest(node):
    connection, wire = node.connect()
    octets = frame(b"abc") + frame(b"def")
    for start, end in pairwise((0, 1, 4, 8, len(octets))):
        connection.data_received(octets[start:end])
        assert node.balanced
    assert wire.writes == [frame(b"abc"), frame(b"def")]
    assert node.account.received == 2


async def test_last_words_come_behind_the_replies(node):
    connection, wire = node.connect()
    connection.data_received(frame(b"a") + b"\x00")
    connection.eof_received()
    assert b"".join(wire.writes) == frame(b"a") + frame(b"last words")
    assert wire.closed
    assert node.balanced


@given(
    st.lists(st.sampled_from([b"a", b"L", b"D", b"W"]), max_size=3 * TURN),
    st.lists(st.integers(1, 40), max_size=20),
    st.sampled_from([4, MAX_WAITING]),
)
def test_each_request_is_counted_once(kinds, cuts, places):
    asyncio.run(serve_all(kinds, cuts, places))


async def serve_all(kinds, cuts, places):
    """Whatever is asked, however it is cut, the account is balanced at every moment."""
    node = Node(places)
    connection, wire = node.connect()
    left = b"".join(map(frame, kinds))
    for size in [*cuts, len(left)]:
        connection.data_received(left[:size])
        left = left[size:]
        assert node.balanced
        await asyncio.sleep(0)
        assert node.balanced
    node.gate.set()
    account = node.account
    while account.waiting:
        await asyncio.sleep(0)
        assert node.balanced
    assert account.received == len(kinds)
    assert account.dropped.total() == node.served.count(b"D")
    replies = Splitter().feed(b"".join(wire.writes))
    assert len(replies) == account.answered + account.refused
    at_once = (b"a", b"L")
    assert [reply[:1] for reply in replies if reply[:1] in at_once] == [
        kind for kind in node.served if kind in at_once
    ]
