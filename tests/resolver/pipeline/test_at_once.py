"""Batches of datagrams: what is kept, what is made at once, and what has its turn alone."""

from __future__ import annotations

from contextlib import contextmanager

import dns.message
import dns.rcode
import pytest

from registry import outcomes
from registry.errors import StorageUnavailable
from registry.prefixes.tree import PrefixTree
from registry.schemes.handle import Key, parse
from registry.values.value import TTL_ABSOLUTE, Value, encode_record
from resolver.administration.certification import Certifier
from resolver.authority import Authority
from resolver.codecs.dns.zone import ZoneView, name_server
from resolver.codecs.handle.bodies.resolution import ResolveRequest, encode_resolve_request
from resolver.codecs.handle.fast import cache_key
from resolver.codecs.handle.header import PO
from resolver.codecs.handle.message import Message, decode_message, encode_message
from resolver.metrics import Counters
from resolver.pipeline.dns import KEEP_PASSING_SECONDS, KEEP_SECONDS, DnsFront
from resolver.pipeline.handle import HandleFront
from resolver.pipeline.responder import Responder
from resolver.pipeline.sources import Sources
from resolver.transports.answers import SLOT
from tests.support.dns_messages import query

HOST = "127.0.0.1"
URL = Value(1, b"URL", b"https://factory.example/1")


class Store(dict):
    """Records by key, read between `begun` and `over`; None stands for one that cannot be read."""

    begun = over = 0

    def record(self, prefix, suffix):
        assert self.begun == self.over + 1
        record = self.get(Key(prefix, suffix), b"")
        if record is None:
            raise StorageUnavailable("the disk is gone")
        return record or None

    def row(self, prefix, suffix):
        return None

    @contextmanager
    def reading(self, keys=()):
        self.begun += 1
        yield
        self.over += 1


def sources_of(records):
    return Sources(Authority(PrefixTree(["88.901"]), records), reading=records.reading)


@pytest.fixture
def counters():
    return Counters()


@pytest.fixture
def store():
    record = encode_record([URL])
    ending = encode_record([Value(1, b"URL", b"x", ttl_type=TTL_ABSOLUTE, ttl=2_000_000_000)])
    return Store({parse("88.901/a"): record, parse("88.901/b"): ending, parse("88.901/lost"): None})


@pytest.fixture
def handle(store, counters):
    sources = sources_of(store)
    responder = Responder(sources, counters, Certifier(pytest.fail, None), site=b"", serial=1)
    return HandleFront(sources, counters, responder)


@pytest.fixture
def front(store, counters):
    view = ZoneView((b"id", b"test"), name_server(HOST, 53), {"88.901"})
    return DnsFront(sources_of(store), counters, view)


def asking(handle: bytes, flags: int = PO) -> bytes:
    body = encode_resolve_request(ResolveRequest(handle))
    return cache_key(encode_message(Message(1, body=body, op_flags=flags)))


class Senders:
    """So many datagrams from one host."""

    def __init__(self, count, host):
        self._all = [host] * count

    def hosts(self):
        return self._all

    def distinct_hosts(self):
        return set(self._all)


def at_once(front, datagrams, now=0.0, host=HOST):
    found, known = front.at_once(datagrams, Senders(len(datagrams), host), now)
    assert known == sum(each is not None for each in found)
    return [*found]


def test_a_batch_is_read_in_one_go(handle, store, counters):
    asked = [asking(b"88.901/a"), b"junk", asking(b"88.901/none"), asking(b"88.901/lost")]
    found = at_once(handle, asked)
    codes = [None if each is None else decode_message(each).response_code for each in found]
    ok, absent, storage = outcomes.OK, outcomes.NOT_FOUND, outcomes.STORAGE
    assert codes == [ok.handle, None, absent.handle, storage.handle]
    assert (store.begun, store.over) == (1, 1)
    assert handle.packets.size == 2, "that the store cannot be read is not kept"
    assert counters.answers["handle-udp", "ok"] == counters.answers["handle-udp", "not-found"] == 1
    assert at_once(handle, asked[:3]) == found[:3]
    assert handle.packets.hits == 2
    assert counters.answers["handle-udp", "ok"] == 2


def test_what_may_take_a_challenge_has_its_turn_alone(handle, store):
    store[parse("88.901/secret")] = encode_record([Value(1, b"K", b"x", permissions=0b1100)])
    assert at_once(handle, [asking(b"88.901/secret", flags=0)]) == [None]
    assert handle.packets.size == 0


def test_questions(front, store, counters):
    names = ["a.h.901.88.id.test", "none.h.901.88.id.test", "901.88.id.test"]
    asked = [b"\0\0" + query(name)[2:] for name in names]
    found = at_once(front, [*asked, b"junk"])
    assert found[3] is None
    assert [dns.message.from_wire(each).rcode() for each in found[:3]] == [
        dns.rcode.NOERROR,
        dns.rcode.NXDOMAIN,
        dns.rcode.NOERROR,
    ]
    assert (store.begun, store.over) == (1, 1)
    assert at_once(front, asked) == found[:3]
    assert front.packets.hits == 2


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("a", KEEP_SECONDS),
        ("b", KEEP_PASSING_SECONDS),
        ("none", KEEP_PASSING_SECONDS),
    ],
)
def test_how_long_a_reply_is_kept(front, name, seconds):
    asked = b"\0\0" + query(f"{name}.h.901.88.id.test")[2:]
    at_once(front, [asked])
    assert front.packets.get(asked, seconds - 1) is not None
    assert front.packets.get(asked, seconds) is None


def test_who_may_be_forged_is_not_flooded(handle, store, counters):
    store[parse("88.901/long")] = encode_record([Value(1, b"TEXT", b"x" * 2000)])
    far, asked = "192.0.2.1", [asking(b"88.901/long")]
    assert None not in at_once(handle, asked, host=far)
    assert at_once(handle, asked * 64, host=far)[-1] is None, "each has its turn alone"
    before = counters.answers["handle-udp", "ok"]
    assert at_once(handle, asked * 3, host=far) == [None] * 3
    assert counters.answers["handle-udp", "ok"] == before
    assert None not in at_once(handle, asked * 3)


def test_what_takes_more_than_a_slot_has_its_turn_alone(handle, store):
    store[parse("88.901/long")] = encode_record([Value(1, b"TEXT", b"x" * SLOT)])
    asked = [asking(b"88.901/long"), asking(b"88.901/a")]
    assert [each is None for each in at_once(handle, asked)] == [True, False]
    assert handle.packets.size == 1
