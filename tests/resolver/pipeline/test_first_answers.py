"""What is asked for the first time is answered in a batch, octet for octet, as alone in general."""

from __future__ import annotations

import dns.edns
import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.clock import ManualClock
from registry.errors import StorageUnavailable
from registry.prefixes.tree import PrefixTree
from registry.schemes.handle import Key, parse
from registry.values.value import TTL_ABSOLUTE, Reference, Value, encode_record
from resolver.administration.certification import Certifier
from resolver.administration.context import UDP, Context
from resolver.authority import Authority
from resolver.codecs.dns.answer import encode_reply
from resolver.codecs.dns.question import read_question
from resolver.codecs.dns.reply import Question
from resolver.codecs.dns.zone import ZoneView, locate, lookup_key, name_server
from resolver.codecs.handle.bodies.resolution import ResolveRequest, encode_resolve_request
from resolver.codecs.handle.fast import cache_key, decode_plain_resolve
from resolver.codecs.handle.fragments import cut
from resolver.codecs.handle.header import CA, KC, PO, REC
from resolver.codecs.handle.message import Message, encode_message
from resolver.metrics import Counters
from resolver.pipeline.dns import KEEP_PASSING_SECONDS, KEEP_SECONDS, DnsFront
from resolver.pipeline.handle import HandleFront
from resolver.pipeline.responder import Responder
from resolver.pipeline.sources import Sources
from resolver.query import Query

HOST = "127.0.0.1"
NOW = 1_700_000_000
URL = Value(1, b"URL", b"https://factory.example/1", timestamp=NOW)
NOTE = Value(2, b"NOTE", b"x" * 300, timestamp=NOW)
SECRET = Value(3, b"K", b"x", permissions=0b1100)
RECORDS = {
    parse(f"88.901/{name}"): encode_record(values)
    for name, values in {
        "A": [URL],
        "B-1": [Value(1, b"URL", b"https://factory.example/2", timestamp=NOW)],
        "LONG": [URL, NOTE],
        "LONGER": [URL, NOTE, NOTE],
        "MIXED": [URL, SECRET],
        "SECRET": [SECRET],
        "NOTHING": [],
        "ENDS": [Value(1, b"URL", b"x", ttl_type=TTL_ABSOLUTE, ttl=NOW + 9)],
        "REFERS": [Value(1, b"URL", b"x", references=(Reference(b"88/1", 1),))],
        "X.Y": [URL],
    }.items()
}
#: Not homed here, though there is a record of it.
FOREIGN = parse("88.902/A")


class Store(dict):
    """Records by key; what is `lost` cannot be read."""

    lost = parse("88.901/LOST")

    def record(self, prefix, suffix):
        if (prefix, suffix) == self.lost:
            raise StorageUnavailable("the disk is gone")
        return self.get(Key(prefix, suffix))

    def row(self, prefix, suffix):
        return None


class Senders:
    def distinct_hosts(self):
        return {HOST}


def sources():
    store = Store(RECORDS | {FOREIGN: encode_record([URL])})
    return Sources(Authority(PrefixTree(["88.901"]), store), clock=ManualClock(NOW))


def at_once(front, asked):
    found, known = front.at_once(asked, Senders(), 0.0)
    assert known == sum(each is not None for each in found)
    return zip(asked, found, strict=True)


def asking(handle, indexes=(), types=(), op_flags=PO, minor=10):
    body = encode_resolve_request(ResolveRequest(handle, indexes, types))
    message = Message(1, body=body, op_flags=op_flags, major=2, minor=minor)
    return cache_key(encode_message(message))


names = st.sampled_from([str(key) for key in RECORDS] + ["88.901/none", "88.902/a", "88.901/lost"])
requests = st.builds(
    asking,
    names.map(str.encode) | names.map(lambda name: name.lower().encode()) | st.just(b"\xff/"),
    indexes=st.sampled_from([(), (), (1,), (9,)]),
    types=st.sampled_from([(), (), (b"URL",)]),
    op_flags=st.sets(st.sampled_from([PO, CA, KC, REC])).map(sum),
    minor=st.sampled_from([1, 10]),
)


@given(st.lists(requests | st.binary(max_size=80), min_size=1, max_size=70))
def test_handle(asked):
    responder = Responder(sources(), Counters(), Certifier(pytest.fail, None), site=b"", serial=1)
    front = HandleFront(sources(), Counters(), responder)
    for request, octets in at_once(front, asked):
        if octets is not None:
            assert octets == cut(responder.answer(request, Context(HOST, UDP)))
        elif (plain := decode_plain_resolve(request)) is not None:
            whole = plain.op_flags & PO
            assert not whole or plain.handle == b"\xff/", "only challenges and refusals wait"


def questioning(name, rtype="TXT", **options):
    name = name.encode().replace(b"\0", b"\\000").decode("latin-1")
    asked = dns.message.make_query(f"{name}.h.901.88.id.test", rtype, id=0, **options)
    return asked.to_wire()


labels = [key.suffix.replace(".", "--") for key in RECORDS] + ["none", "lost", "x.y", "a--", "-b"]
labels += ["x--64", "y--64", "x" * 63, "88"]
questions = st.builds(
    questioning,
    st.sampled_from(labels) | st.sampled_from(labels).map(str.lower),
    st.sampled_from(["TXT", "TXT", "TXT", "URI", "A", "AXFR"]),
    use_edns=st.sampled_from([False, 0, 0, 1]),
    payload=st.sampled_from([512, 1232, 4096]),
    want_dnssec=st.booleans(),
    flags=st.sampled_from([0, 0x0100]),
    options=st.sampled_from([None, [dns.edns.GenericOption(10, b"x" * 8)]]),
)


@given(st.lists(questions | st.binary(max_size=60), min_size=1, max_size=70))
def test_dns(asked):
    resolving, view = sources(), ZoneView((b"id", b"test"), name_server(HOST, 53), {"88.901"})
    front = DnsFront(resolving, Counters(), view)
    for request, octets in at_once(front, asked):
        question = read_question(request)
        if not isinstance(question, Question):
            assert octets is None
            continue
        target = locate(question, view)
        key = None if target is None else lookup_key(target, view)
        answer = None if key is None else resolving.resolve(Query(str(key).encode(), key))
        assert octets == encode_reply(question, target, answer, view, question.udp_limit)


@pytest.mark.parametrize("name", ["a", "b-1", "ends", "none"])
def test_how_long_it_is_kept(name):
    """Whether its shape is known or not: the answer, and how long it lasts, are the same."""
    view = ZoneView((b"id", b"test"), name_server(HOST, 53), {"88.901"})
    front = DnsFront(sources(), Counters(), view)
    asked = questioning(name)
    ((_, first),) = at_once(front, [asked])
    seconds = KEEP_SECONDS if name in ("a", "b-1") else KEEP_PASSING_SECONDS
    for _ in range(20):
        assert front.packets.get(asked, seconds - 1) == (
            first,
            "not-found" if name == "none" else "ok",
        )
        assert front.packets.get(asked, seconds) is None
        front.packets.clear()
        assert [*at_once(front, [asked])] == [(asked, first)]


def test_a_change_drops_what_was_kept():
    view = ZoneView((b"id", b"test"), name_server(HOST, 53), {"88.901"})
    front = DnsFront(sources(), Counters(), view)
    for _ in at_once(front, [questioning("a"), questioning("b-1")]):
        pass
    front.packets.drop([parse("88.901/A")])
    assert front.packets.get(questioning("a"), 0.0) is None
    assert front.packets.get(questioning("b-1"), 0.0) is not None


def test_what_is_stored():
    keys = [parse("88.901/A"), parse("88.901/none"), FOREIGN]
    found = sources().stored(keys)
    assert [*found] == [RECORDS[keys[0]], None, None]
    assert [*sources().stored([*keys, Store.lost])] == [None] * 4, "each is asked for alone"


def test_a_node_that_asks_others_leaves_it_to_them_how_long_answers_last():
    authority = Authority(PrefixTree(["88.901"]), Store(RECORDS))
    assert [*Sources(authority, recursion=object()).stored([parse("88.901/A")])] == [None]
    assert [*Sources(None).stored([parse("88.901/A")])] == [None]
