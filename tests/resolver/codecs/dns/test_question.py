"""Reading queries: a question, an error reply or a drop, whatever the octets."""

from __future__ import annotations

import struct

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry import outcomes
from resolver.codecs.dns.question import Dropped, Rejected, read_question
from resolver.codecs.dns.reply import Question
from tests.support.dns_messages import query

HEAD = struct.Struct(">HHHHHH")
NAME = b"\x01A\x02Bc\x00"
ASKED = NAME + b"\x00\x10\x00\x01"
EDNS = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"


def message(
    body: bytes = ASKED,
    flags: int = 0x0100,
    counts: tuple[int, int, int, int] = (1, 0, 0, 0),
) -> bytes:
    return HEAD.pack(0x1234, flags, *counts) + body


def with_edns(opt: bytes, count: int = 1, body: bytes = ASKED) -> bytes:
    return message(body + opt, counts=(1, 0, 0, count))


def test_a_question() -> None:
    found = read_question(message())
    assert found == Question(0x1234, True, ASKED, (b"a", b"bc"), 16, None, False)
    assert found.udp_limit == 512


@pytest.mark.parametrize(
    ("payload", "limit"), [(0, 512), (100, 512), (512, 512), (1000, 1000), (4096, 1232)]
)
def test_edns_sets_the_limit(payload: int, limit: int) -> None:
    found = read_question(with_edns(b"\0\0\x29" + payload.to_bytes(2, "big") + bytes(6)))
    assert isinstance(found, Question)
    assert (found.payload, found.udp_limit) == (payload, limit)


def test_do_and_unknown_options_and_unknown_records() -> None:
    option = b"\xff\xf0\x00\x02hi"
    opt = b"\0\0\x29\x04\xd0\x00\x00\x80\x00" + len(option).to_bytes(2, "big") + option
    other = b"\xc0\x0c\x12\x34\x00\x01\x00\x00\x00\x00\x00\x03abc"
    found = read_question(with_edns(other + opt, count=2))
    assert isinstance(found, Question)
    assert found.dnssec_ok


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "short"), (bytes(11), "short"), (message(flags=0x8100), "reply")],
)
def test_dropped(data: bytes, reason: str) -> None:
    assert read_question(data) == Dropped(reason)


LONG_NAME = b"".join(b"\x3f" + b"a" * 63 for _ in range(4)) + b"\x00"


@pytest.mark.parametrize(
    ("data", "rcode"),
    [
        (message(flags=0x7900), outcomes.NOTIMP),
        (message(flags=0x2900), outcomes.NOTIMP),
        (message(counts=(0, 0, 0, 0)), outcomes.FORMERR),
        (message(counts=(2, 0, 0, 0)), outcomes.FORMERR),
        (message(counts=(1, 1, 0, 0)), outcomes.FORMERR),
        (message(counts=(1, 0, 1, 0)), outcomes.FORMERR),
        (message(ASKED[:-1]), outcomes.FORMERR),
        (message(b""), outcomes.FORMERR),
        (message(ASKED + b"x"), outcomes.FORMERR),
        (message(b"\xc0\x0c" + ASKED[-4:]), outcomes.FORMERR),
        (message(b"\x01a\xc0\x0c" + ASKED[-4:]), outcomes.FORMERR),
        (message(b"\x40" + b"a" * 64 + b"\0" + ASKED[-4:]), outcomes.FORMERR),
        (message(LONG_NAME + ASKED[-4:]), outcomes.FORMERR),
        (message(b"\x3fab"), outcomes.FORMERR),
        (message(NAME + b"\x00\x29\x00\x01"), outcomes.FORMERR),
        (message(NAME + b"\x00\xfc\x00\x01"), outcomes.REFUSED),
        (message(NAME + b"\x00\xfb\x00\x01"), outcomes.REFUSED),
        (message(NAME + b"\x00\xfe\x00\x01"), outcomes.NOTIMP),
        (message(NAME + b"\x00\x10\x00\x03"), outcomes.REFUSED),
        (message(NAME + b"\x00\x10\x00\xff"), outcomes.REFUSED),
        (with_edns(EDNS + EDNS, 2), outcomes.FORMERR),
        (with_edns(b"\x01a" + EDNS), outcomes.FORMERR),
        (with_edns(EDNS[:-1]), outcomes.FORMERR),
        (with_edns(EDNS, 2), outcomes.FORMERR),
        (with_edns(EDNS[:-2] + b"\x00\x04"), outcomes.FORMERR),
        (with_edns(EDNS[:-2] + b"\x00\x03abc"), outcomes.FORMERR),
        (with_edns(EDNS[:-2] + b"\x00\x05\x00\x01\x00\x02a"), outcomes.FORMERR),
        (with_edns(b"\0\0\x29\x04\xd0\x00\x01\x00\x00\x00\x00"), outcomes.BADVERS),
    ],
)
def test_rejected(data: bytes, rcode: int) -> None:
    found = read_question(data)
    assert isinstance(found, Rejected)
    assert found.rcode == rcode
    reply = dns.message.from_wire(found.reply)
    assert reply.id == 0x1234
    assert reply.rcode() == rcode
    assert reply.flags & dns.flags.RD
    assert not reply.answer


def test_refusals_repeat_the_question_and_say_why() -> None:
    found = read_question(with_edns(EDNS, body=NAME + b"\x00\x10\x00\x03"))
    assert isinstance(found, Rejected)
    reply = dns.message.from_wire(found.reply)
    assert len(reply.question) == 1
    assert isinstance(reply.options[0], dns.edns.EDEOption)
    assert reply.options[0].code == 20


def test_a_label_cannot_be_a_pointer_in_disguise() -> None:
    """Lower-casing octets must not make a length of a letter, nor a letter of a length."""
    for length in range(64, 256):
        body = bytes((length,)) + b"a" * length + b"\0" + ASKED[-4:]
        assert isinstance(read_question(message(body)), Rejected)


def check(data: bytes) -> None:
    found = read_question(data)
    if isinstance(found, Rejected):
        assert len(found.reply) <= len(data) + 64
        assert dns.message.from_wire(found.reply).rcode() == found.rcode
    elif isinstance(found, Question):
        assert sum(map(len, found.labels)) + len(found.labels) + 5 == len(found.wire)


@given(st.binary(max_size=600))
def test_any_octets(data: bytes) -> None:
    check(data)


@given(st.binary(max_size=300), st.integers(0, 3), st.integers(0, 0x7FFF))
@example(b"\xc0\x0c\x00\x10\x00\x01", 0, 0)
def test_any_octets_behind_a_good_header(body: bytes, additional: int, flags: int) -> None:
    check(message(body, flags & 0x87FF, (1, 0, 0, additional)))


@given(st.data())
def test_mutations_of_a_good_query(data: st.DataObject) -> None:
    octets = bytearray(query("bot-1.h.7.901.88.id.test"))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    check(bytes(octets))
    check(bytes(octets[: data.draw(st.integers(0, len(octets)))]))
