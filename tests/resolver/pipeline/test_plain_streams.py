"""Plain requests over TCP: what is kept is, octet for octet, what the general way says."""

from __future__ import annotations

import asyncio

import dns.edns
import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.clock import ManualClock
from registry.prefixes.tree import PrefixTree
from registry.schemes.handle import Key, parse
from registry.storage.interface import MustWait
from registry.values.value import Value, encode_record
from resolver.administration.certification import Certifier
from resolver.administration.context import TCP, Context
from resolver.authority import Authority
from resolver.cache.packets import MAX_REQUEST
from resolver.codecs.dns.answer import encode_reply
from resolver.codecs.dns.framing import frame
from resolver.codecs.dns.question import Rejected, read_question
from resolver.codecs.dns.reply import TCP_LIMIT, Question
from resolver.codecs.dns.zone import ZoneView, locate, lookup_key, name_server
from resolver.codecs.handle.bodies.resolution import ResolveRequest, encode_resolve_request
from resolver.codecs.handle.header import CA, KC, PO, REC
from resolver.codecs.handle.message import Message, encode_message
from resolver.metrics import Counters
from resolver.pipeline.dns import DnsFront
from resolver.pipeline.handle import HandleFront
from resolver.pipeline.responder import Responder
from resolver.pipeline.sources import Sources
from resolver.query import Query

HOST = "127.0.0.1"
HERE = Context(HOST, TCP)
KEY = parse("88.901/A")
SMALL = encode_record([Value(1, b"URL", b"https://factory.example/1")])
LARGE = encode_record([Value(index, b"URL", b"x" * 200) for index in range(1, 20)])
SECRET = encode_record([Value(1, b"URL", b"x"), Value(2, b"K", b"x", permissions=0b1100)])
RECORDS = {KEY: SMALL, parse("88.901/L"): LARGE, parse("88.901/S"): SECRET}
NAMES = [b"88.901/a", b"88.901/A", b"88.901/L", b"88.901/s", b"88.901/none", b"88.902/x", b"\xff"]


class Store(dict):
    """Records by key, which have to be waited for while it is `slow`."""

    slow = False

    def record(self, prefix, suffix):
        if self.slow:
            raise MustWait(Key(prefix, suffix))
        return self.get(Key(prefix, suffix))

    def row(self, prefix, suffix):
        return None


class Node:
    """Front-ends before records, and what they would say if they kept nothing."""

    def __init__(self, records=RECORDS, gather=None):
        self.store = Store(records)
        self.counters = Counters()
        authority = Authority(PrefixTree(["88.901"]), self.store)
        self.sources = Sources(authority, gather=gather, clock=ManualClock(1_700_000_000.0))
        certifier = Certifier(pytest.fail, None)
        self.responder = Responder(self.sources, Counters(), certifier, site=b"", serial=1)
        self.handle = HandleFront(self.sources, self.counters, self.responder)
        self.view = ZoneView((b"id", b"test"), name_server(HOST, 53), {"88.901"})
        self.dns = DnsFront(self.sources, self.counters, self.view)

    def general_dns(self, data):
        question = read_question(data)
        if not isinstance(question, Question):
            return frame(question.reply) if isinstance(question, Rejected) else None
        target = locate(question, self.view)
        key = None if target is None else lookup_key(target, self.view)
        answer = None if key is None else self.sources.resolve(Query(str(key).encode(), key))
        return frame(encode_reply(question, target, answer, self.view, TCP_LIMIT))


def asking(handle=b"88.901/A", **fields):
    fields.setdefault("op_flags", PO)
    indexes, types = fields.pop("indexes", ()), fields.pop("types", ())
    body = encode_resolve_request(ResolveRequest(handle, indexes, types))
    return encode_message(Message(1, body=body, **fields))


def questioning(name="a", rtype="TXT", **options):
    return dns.message.make_query(f"{name}.h.901.88.id.test", rtype, **options).to_wire(
        max_size=65_535
    )


requests = st.builds(
    asking,
    st.sampled_from(NAMES),
    indexes=st.lists(st.integers(0, 3), max_size=2).map(tuple),
    types=st.lists(st.sampled_from([b"URL", b"K"]), max_size=1).map(tuple),
    op_flags=st.sets(st.sampled_from([PO, CA, KC, REC])).map(sum),
    request_id=st.integers(0, 0xFFFFFFFF),
    expiration=st.integers(0, 0xFFFFFFFF),
    major=st.sampled_from([1, 2, 3]),
    minor=st.sampled_from([0, 1, 4, 10, 11]),
    recursion_count=st.integers(0, 2),
)
questions = st.builds(
    questioning,
    st.sampled_from(["a", "A", "l", "none", "s", "x.y"]),
    st.sampled_from(["TXT", "URI", "ANY", "A", "SOA", "AXFR"]),
    use_edns=st.sampled_from([False, 0, 1]),
    want_dnssec=st.booleans(),
    id=st.integers(0, 0xFFFF),
)


@given(st.lists(st.one_of(requests, st.binary(min_size=20, max_size=80)), max_size=12))
def test_messages_are_answered_as_in_general(sent):
    node = Node()
    for data in sent * 2:
        assert node.handle.message(data, HERE) == node.responder.answer(data, HERE)


@given(st.lists(st.one_of(questions, st.binary(max_size=40)), max_size=12))
def test_questions_are_answered_as_in_general(sent):
    node = Node()
    for data in sent * 2:
        assert node.dns.message(data, (HOST, 1)) == node.general_dns(data)


def test_repeats_are_kept_and_counted_one_by_one():
    node = Node()
    for number in range(3):
        assert node.handle.message(asking(request_id=number), HERE)
        assert node.dns.message(questioning(id=number), (HOST, 1))
    assert (node.handle.packets.hits, node.dns.packets.hits) == (2, 2)
    for protocol in ("handle-tcp", "dns-tcp"):
        assert node.counters.answers[protocol, "ok"] == 3
        assert sum(node.counters.latencies[protocol].counts) == 3


def test_a_change_drops_what_was_kept():
    node = Node()
    asked = {node.handle: (asking(), HERE), node.dns: (questioning(), (HOST, 1))}
    before = {front: front.message(*told) for front, told in asked.items()}
    node.store[KEY] = LARGE
    assert {front: front.message(*told) for front, told in asked.items()} == before
    for front, told in asked.items():
        front.packets.drop([KEY])
        assert b"factory" not in front.message(*told)


def test_what_a_datagram_is_told_is_kept_apart():
    """Over UDP there are packets of 512 octets, or the word that the reply does not fit."""
    node = Node()
    for data in (asking(b"88.901/L", request_id=0xFFFFFFFF), asking(b"88.901/L")):
        node.handle.datagram(data, (HOST, 1))
        assert node.handle.message(data, HERE) == node.responder.answer(data, HERE)
        assert len(node.handle.datagram(data, (HOST, 1))) > 1
    for data in (questioning("l", id=0xFFFF), questioning("l", id=0)):
        (short,) = node.dns.datagram(data, (HOST, 1))
        whole = node.dns.message(data, (HOST, 1))
        assert len(short) < len(LARGE) < len(whole)
        assert node.dns.datagram(data, (HOST, 1)) == (short,)
        assert node.dns.message(data, (HOST, 1)) == whole == node.general_dns(data)


def test_what_may_take_a_challenge_is_not_kept():
    node = Node()
    node.handle.message(asking(b"88.901/S", op_flags=0), HERE)
    assert node.handle.packets.size == 0


def test_long_requests_are_answered_and_not_kept():
    node = Node()
    long = asking(types=(b"U" * MAX_REQUEST, b"URL"))
    assert node.handle.message(long, HERE) == node.responder.answer(long, HERE)
    padding = dns.edns.GenericOption(dns.edns.OptionType.PADDING, bytes(MAX_REQUEST))
    padded = questioning(use_edns=0, options=[padding])
    assert node.dns.message(padded, (HOST, 1)) == node.general_dns(padded)
    assert node.handle.packets.size == node.dns.packets.size == 0


async def test_an_answer_that_has_to_be_waited_for_is_kept():
    node = Node(gather=lambda decide: read_later(node, decide))
    for front, asked in ((node.handle, (asking(), HERE)), (node.dns, (questioning(), (HOST, 1)))):
        node.store.slow = True
        said = await front.message(*asked)
        node.store.slow = True
        assert front.message(*asked) == said
        assert front.packets.hits == 1


async def read_later(node, decide):
    await asyncio.sleep(0)
    node.store.slow = False
    return decide()
