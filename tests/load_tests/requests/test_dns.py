"""The check of DNS replies, with replies that dnspython makes."""

import dns.flags
import dns.message
import dns.rcode
import dns.rdata
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from load_tests.requests import dns as questions
from load_tests.requests.template import Kind, Template
from registry.values.value import Value, encode_record
from resolver.codecs.dns.rdata import txt

NAME = "mes-0001.h.7.901.88.id.test"
VALUES = [Value(1, b"URL", b"https://example.org/1"), Value(2, b"lot", "白酒".encode())]
RECORD = encode_record(VALUES)


@pytest.fixture
def asked() -> Template:
    return questions.question(NAME, RECORD)


def reply(asked: Template, record: bytes, ttl: int = 60, backwards: bool = False) -> bytes:
    question = dns.message.from_wire(asked.request)
    made = dns.message.make_response(question)
    rdatas = [dns.rdata.from_wire("IN", "TXT", wire, 0, len(wire)) for wire in txt(record)]
    if backwards:
        rdatas.reverse()
    made.answer.append(dns.rrset.from_rdata(f"{NAME}.", ttl, *rdatas))
    return made.to_wire(want_shuffle=False)


def matches(asked: Template, packet: bytes) -> bool:
    size, ranges = asked.parts[0]
    return len(packet) == size and all(packet.startswith(octets, at) for at, octets in ranges)


def test_the_question_is_one_that_dnspython_reads(asked: Template) -> None:
    question = dns.message.from_wire(asked.request)
    assert question.question[0].to_text() == f"{NAME}. IN TXT"
    assert (question.edns, question.payload, question.flags) == (0, 1232, dns.flags.RD)


def test_the_first_reply_is_judged_and_its_repetitions_compared(asked: Template) -> None:
    first = reply(asked, RECORD)
    verdict = asked.judge(0, first)
    assert verdict.kind is Kind.RIGHT
    assert verdict.part is not None
    asked.parts[0] = verdict.part
    assert matches(asked, first)
    assert matches(asked, b"\xab\xcd" + reply(asked, RECORD, ttl=3)[2:])


def test_the_order_of_records_does_not_matter(asked: Template) -> None:
    assert asked.judge(0, reply(asked, RECORD, backwards=True)).kind is Kind.RIGHT


def test_other_records_are_wrong(asked: Template) -> None:
    fewer = encode_record(VALUES[:1])
    more = encode_record([*VALUES, Value(3, b"URL", b"https://example.org/forged")])
    other = encode_record([VALUES[0], Value(2, b"lot", b"another")])
    for record in (fewer, more, other):
        assert asked.judge(0, reply(asked, record)).kind is Kind.WRONG


@pytest.mark.parametrize(
    ("rcode", "kind"),
    [
        (dns.rcode.NXDOMAIN, Kind.WRONG),
        (dns.rcode.NOERROR, Kind.WRONG),
        (dns.rcode.SERVFAIL, Kind.REFUSED),
        (dns.rcode.REFUSED, Kind.REFUSED),
    ],
)
def test_an_empty_reply_is_wrong_or_a_refusal(
    asked: Template, rcode: dns.rcode.Rcode, kind: Kind
) -> None:
    made = dns.message.make_response(dns.message.from_wire(asked.request))
    made.set_rcode(rcode)
    assert asked.judge(0, made.to_wire()).kind is kind


def test_a_truncated_reply_is_a_refusal(asked: Template) -> None:
    made = dns.message.make_response(dns.message.from_wire(asked.request))
    made.flags |= dns.flags.TC
    assert asked.judge(0, made.to_wire()).kind is Kind.REFUSED


def test_the_reply_to_another_question_is_wrong(asked: Template) -> None:
    other = questions.question("mes-0002.h.7.901.88.id.test", RECORD)
    assert asked.judge(0, reply(other, RECORD)).kind is Kind.WRONG


@given(st.binary(max_size=80), st.integers(0, 200))
def test_junk_is_never_right(junk: bytes, cut: int) -> None:
    asked = questions.question(NAME, RECORD)
    assert asked.judge(0, junk).kind is not Kind.RIGHT
    whole = reply(asked, RECORD)
    assert asked.judge(0, whole[: min(cut, len(whole) - 20)]).kind is not Kind.RIGHT
