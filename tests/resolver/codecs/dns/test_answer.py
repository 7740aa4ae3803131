"""Replies, as dnspython reads them: data, referrals, and nothing of each kind."""

from __future__ import annotations

import dataclasses

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry import outcomes
from registry.outcomes import OUTCOMES, Outcome
from registry.values.value import Value, encode_record
from resolver.codecs.dns.answer import encode_reply
from resolver.codecs.dns.reply import (
    TCP_LIMIT,
    cache_key,
    is_of_stream,
    stream_cache_key,
    with_id,
)
from resolver.codecs.dns.zone import ZoneView, locate, name_server
from resolver.query import Answer, Referral, Refused, Values
from tests.support.dns_messages import (
    NATIONAL,
    RECURSIVE,
    ROOT,
    SECTOR,
    query,
    question,
    reply,
    site_record,
    texts,
)

BOTTLE = "Bot-1.h.7.901.88.id.test"
RECORD = encode_record(
    [Value(1, b"URL", b"https://example.test/1"), Value(2001, b"name", "五粮液".encode())]
)
BOTTLE_VALUES = Values(RECORD, ttl=300)
ABSENT = Refused(outcomes.NOT_FOUND, ttl=5)
SOA = "SOA ns.7.901.88.id.test. hostmaster.7.901.88.id.test. 42 3600 600 86400 5"


def has(message: dns.message.Message, *flags: dns.flags.Flag) -> list[bool]:
    return [bool(message.flags & flag) for flag in flags]


def errors(message: dns.message.Message) -> list[tuple[int, str | None]]:
    found = (option for option in message.options if isinstance(option, dns.edns.EDEOption))
    return [(int(option.code), option.text) for option in found]


@pytest.mark.parametrize(
    ("rtype", "answer"),
    [
        (
            "TXT",
            [
                'TXT "index=1" "type=URL" "data=https://example.test/1"',
                'TXT "index=2001" "type=name" "data=\\228\\186\\148\\231\\178\\174\\230\\182\\178"',
            ],
        ),
        ("URI", ['URI 10 1 "https://example.test/1"']),
        ("NAPTR", ['NAPTR 100 1 "u" "ID2U+web" "!^.*$!https://example.test/1!" .']),
        ("ANY", ['HINFO "RFC8482" ""']),
    ],
)
def test_values_of_an_identifier(rtype: str, answer: list[str]) -> None:
    message = reply(question(BOTTLE, rtype), BOTTLE_VALUES, SECTOR)
    assert texts(message) == [f"{BOTTLE}. 300 IN {line}" for line in answer]
    assert message.rcode() == dns.rcode.NOERROR
    assert not message.authority
    assert has(message, dns.flags.AA, dns.flags.RD, dns.flags.RA, dns.flags.TC) == [1, 1, 0, 0]


def test_the_recursive_node_is_no_authority_and_offers_recursion() -> None:
    message = reply(question(BOTTLE), Values(RECORD, 300, authoritative=False), RECURSIVE)
    assert has(message, dns.flags.AA, dns.flags.RA) == [False, True]
    assert len(texts(message)) == 2


@pytest.mark.parametrize("answer", [BOTTLE_VALUES, Refused(outcomes.VALUES_NOT_FOUND, ttl=5)])
def test_nodata(answer: Answer) -> None:
    message = reply(question(BOTTLE, "MX"), answer, SECTOR)
    assert message.rcode() == dns.rcode.NOERROR
    assert not message.answer
    assert texts(message, "authority") == [f"7.901.88.id.test. 5 IN {SOA}"]
    assert has(message, dns.flags.AA) == [True]


def test_nxdomain() -> None:
    message = reply(question(BOTTLE), ABSENT, SECTOR)
    assert message.rcode() == dns.rcode.NXDOMAIN
    assert texts(message, "authority") == [f"7.901.88.id.test. 5 IN {SOA}"]


def test_negative_answers_count_down_at_the_recursive_node() -> None:
    message = reply(question(BOTTLE), Refused(outcomes.NOT_FOUND, ttl=2), RECURSIVE)
    assert message.rcode() == dns.rcode.NXDOMAIN
    assert message.authority[0].ttl == 2
    assert has(message, dns.flags.AA) == [False]


def test_a_prefix_record_lies_in_its_parents_zone() -> None:
    message = reply(question("9.p.901.88.id.test"), ABSENT, SECTOR)
    assert str(message.authority[0].name) == "901.88.id.test."
    message = reply(question("99.p.id.test"), ABSENT, ROOT)
    assert str(message.authority[0].name) == "id.test."


@pytest.mark.parametrize(
    ("name", "rtype", "answer"),
    [
        ("901.88.id.test", "NS", ["901.88.id.test. 3600 IN NS ns.901.88.id.test."]),
        ("901.88.id.test", "ANY", ['901.88.id.test. 3600 IN HINFO "RFC8482" ""']),
        ("ns.901.88.id.test", "A", ["ns.901.88.id.test. 3600 IN A 127.0.0.1"]),
        (
            "_dns._udp.ns.901.88.id.test",
            "SRV",
            ["_dns._udp.ns.901.88.id.test. 3600 IN SRV 0 0 2673 ns.901.88.id.test."],
        ),
        (
            "7.901.88.id.test",
            "SOA",
            [f"7.901.88.id.test. 3600 IN {SOA}"],
        ),
    ],
)
def test_records_of_a_zone(name: str, rtype: str, answer: list[str]) -> None:
    message = reply(question(name, rtype), None, SECTOR)
    assert texts(message) == answer
    assert has(message, dns.flags.AA) == [True]


def test_name_servers_come_with_their_address_and_port() -> None:
    message = reply(question("901.88.ID.test", "NS"), None, SECTOR)
    assert [line.lower() for line in texts(message, "additional")] == [
        "ns.901.88.id.test. 3600 in a 127.0.0.1",
        "_dns._udp.ns.901.88.id.test. 3600 in srv 0 0 2673 ns.901.88.id.test.",
    ]
    usual = dataclasses.replace(SECTOR, server=name_server("::1", 53))
    message = reply(question("901.88.id.test", "NS"), None, usual)
    assert texts(message, "additional") == ["ns.901.88.id.test. 3600 IN AAAA ::1"]


@pytest.mark.parametrize(
    ("name", "rtype", "view"),
    [
        ("901.88.id.test", "TXT", SECTOR),
        ("h.901.88.id.test", "TXT", SECTOR),
        ("h.901.88.id.test", "ANY", SECTOR),
        ("p.901.88.id.test", "NS", SECTOR),
        ("_udp.ns.901.88.id.test", "A", SECTOR),
        ("ns.901.88.id.test", "AAAA", SECTOR),
        ("id.test", "A", ROOT),
        ("p.id.test", "A", ROOT),
        ("0.id.test", "A", ROOT),
        ("p.0.id.test", "NS", ROOT),
    ],
)
def test_names_that_exist_without_data(name: str, rtype: str, view: ZoneView) -> None:
    message = reply(question(name, rtype), None, view)
    assert message.rcode() == dns.rcode.NOERROR
    assert not message.answer
    assert len(message.authority) == 1
    assert has(message, dns.flags.AA) == [True]


@pytest.mark.parametrize(
    ("name", "answer", "view", "apex"),
    [
        ("_x.901.88.id.test", None, SECTOR, "901.88.id.test."),
        ("a.b.h.7.901.88.id.test", None, SECTOR, "7.901.88.id.test."),
        ("h.id.test", None, ROOT, "id.test."),
        ("999.88.id.test", ABSENT, NATIONAL, "88.id.test."),
        ("_x.999.88.id.test", ABSENT, NATIONAL, "88.id.test."),
        ("_x.88.id.test", None, RECURSIVE, "id.test."),
        ("99.id.test", ABSENT, RECURSIVE, "id.test."),
    ],
)
def test_names_that_do_not_exist(
    name: str, answer: Answer | None, view: ZoneView, apex: str
) -> None:
    message = reply(question(name, "A"), answer, view)
    assert message.rcode() == dns.rcode.NXDOMAIN
    assert str(message.authority[0].name) == apex


@pytest.mark.parametrize("name", ["example.org", ".", "id.test", "_x.id.test", "p.id.test"])
def test_names_outside_the_zones_of_a_node(name: str) -> None:
    message = reply(question(name, "SOA"), None, NATIONAL)
    assert message.rcode() == dns.rcode.REFUSED
    assert errors(message) == [(20, "Not in a zone of this node")]
    assert not message.authority
    assert has(message, dns.flags.AA) == [False]


REFERRAL = Referral(outcomes.SERVICE_REFERRAL, "88.901", site_record("127.0.0.9", 2673), 60)


@pytest.mark.parametrize(
    "name", [BOTTLE, "901.88.id.test", "h.901.88.id.test", "7.p.901.88.id.test"]
)
def test_a_referral_to_the_name_server_of_a_delegated_prefix(name: str) -> None:
    message = reply(question(name), REFERRAL, NATIONAL)
    assert message.rcode() == dns.rcode.NOERROR
    assert not message.answer
    assert texts(message, "authority") == ["901.88.id.test. 60 IN NS ns.901.88.id.test."]
    assert texts(message, "additional") == [
        "ns.901.88.id.test. 60 IN A 127.0.0.9",
        "_dns._udp.ns.901.88.id.test. 60 IN SRV 0 0 2673 ns.901.88.id.test.",
    ]
    assert has(message, dns.flags.AA) == [False]


def test_the_parent_answers_for_ds_at_the_cut() -> None:
    message = reply(question("901.88.id.test", "DS"), REFERRAL, NATIONAL)
    assert str(message.authority[0].name) == "88.id.test."
    assert has(message, dns.flags.AA) == [True]
    message = reply(question("7.901.88.id.test", "DS"), REFERRAL, NATIONAL)
    assert texts(message, "authority") == ["901.88.id.test. 60 IN NS ns.901.88.id.test."]


@pytest.mark.parametrize("prefix", ["", "88.902", "8", "88.90", "88.901.7.1"])
def test_a_referral_to_elsewhere_is_not_passed_on(prefix: str) -> None:
    elsewhere = REFERRAL._replace(prefix=prefix)
    message = reply(question(BOTTLE), elsewhere, RECURSIVE)
    assert message.rcode() == dns.rcode.SERVFAIL
    assert errors(message) == [(23, "")] or errors(message) == [(23, None)]


def test_the_recursive_node_knows_zones_by_their_prefix_records() -> None:
    record = Values(site_record("2001:db8::9"), 60, authoritative=False)
    message = reply(question("901.88.id.test", "NS"), record, RECURSIVE)
    assert texts(message) == ["901.88.id.test. 60 IN NS ns.901.88.id.test."]
    assert texts(message, "additional") == ["ns.901.88.id.test. 60 IN AAAA 2001:db8::9"]
    assert has(message, dns.flags.AA) == [False]
    message = reply(question("h.901.88.id.test", "NS"), record, RECURSIVE)
    assert message.rcode() == dns.rcode.NOERROR


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
@pytest.mark.parametrize("view", [SECTOR, RECURSIVE])
def test_every_refusal_has_its_code(outcome: Outcome, view: ZoneView) -> None:
    asked = question(BOTTLE)
    message = reply(asked, Refused(outcome, "出 错" * 40), view)
    assert message.rcode() == outcome.dns
    assert [code for code, _ in errors(message)] == [
        code for code in [outcome.ede] if code is not None
    ]
    assert len(message.to_wire()) <= len(query(BOTTLE)) + 64


def test_no_extended_error_for_a_client_without_edns() -> None:
    message = reply(question(BOTTLE, payload=None), Refused(outcomes.UPSTREAM_TIMEOUT), RECURSIVE)
    assert message.rcode() == dns.rcode.SERVFAIL
    assert message.edns == -1


LARGE = Values(encode_record([Value(1, b"TXT", b"x" * 2000)]), 60)


@pytest.mark.parametrize("payload", [None, 512, 1232, 4096])
def test_too_large_for_udp(payload: int | None) -> None:
    message = reply(question(BOTTLE, payload=payload), LARGE, SECTOR)
    assert has(message, dns.flags.TC) == [True]
    assert not message.answer
    assert (message.edns == 0) == (payload is not None)


def test_large_over_tcp() -> None:
    message = reply(question(BOTTLE), LARGE, SECTOR, TCP_LIMIT)
    assert has(message, dns.flags.TC) == [False]
    assert len(message.answer) == 1


@pytest.mark.parametrize(
    "record",
    [
        encode_record([Value(1, b"TXT", b"x" * 66_000)]),
        encode_record([Value(n, b"TXT", b"x" * 40_000) for n in (1, 2)]),
        encode_record([Value(1, b"T" * 251, b"")]),
    ],
)
def test_what_dns_cannot_carry(record: bytes) -> None:
    values = Values(record, 60)
    assert has(reply(question(BOTTLE), values, SECTOR), dns.flags.TC) == [True]
    message = reply(question(BOTTLE), values, SECTOR, TCP_LIMIT)
    assert message.rcode() == dns.rcode.SERVFAIL
    assert errors(message) == [(0, "The record is too large for DNS")]


def test_any_is_no_amplifier() -> None:
    for name in (BOTTLE, "901.88.id.test"):
        asked = question(name, "ANY")
        wire = encode_reply(asked, locate(asked, SECTOR), LARGE, SECTOR, asked.udp_limit)
        assert len(wire) <= 2 * len(query(name, "ANY"))


def test_ttls_stay_within_31_bits() -> None:
    message = reply(question(BOTTLE), BOTTLE_VALUES._replace(ttl=0xFFFF_FFFF), SECTOR)
    assert message.answer[0].ttl == 0x7FFF_FFFF


def test_a_kept_reply_under_another_id() -> None:
    first, second = query(BOTTLE), query(BOTTLE)
    asked = question(BOTTLE)
    wire = encode_reply(asked, locate(asked, SECTOR), BOTTLE_VALUES, SECTOR, 1232)
    assert cache_key(b"\1\2" + first[2:]) == cache_key(second)
    assert stream_cache_key(b"\1\2" + first[2:]) == stream_cache_key(second)
    assert is_of_stream(stream_cache_key(first)) > is_of_stream(cache_key(first))
    assert with_id(wire, second)[:2] == second[:2]
    assert with_id(wire, second)[2:] == wire[2:]


NAMES = st.sampled_from(
    [BOTTLE, "7.p.901.88.id.test", "901.88.id.test", "h.88.id.test", "_x.id.test", "test"]
) | st.lists(st.text("hpnsx-_012789", min_size=1, max_size=5), max_size=6).map(
    lambda labels: ".".join([*labels, "id.test"])
)
VALUES = st.builds(
    Value,
    index=st.integers(1, 9000),
    type=st.sampled_from([b"URL", b"url", b"HS_SITE", b"\xff", b""]),
    data=st.binary(max_size=600),
    ttl_type=st.integers(0, 2),
    ttl=st.integers(0, 2**32 - 1),
    timestamp=st.integers(0, 2**32 - 1),
    permissions=st.integers(0, 255),
)
RECORDS = st.lists(VALUES, max_size=4).map(encode_record)
TTLS = st.integers(0, 2**32 - 1)
ANSWERS = (
    st.builds(Values, RECORDS, TTLS, st.booleans())
    | st.builds(Refused, st.sampled_from(list(OUTCOMES.values())), st.text(), TTLS)
    | st.builds(
        Referral,
        st.just(outcomes.SERVICE_REFERRAL),
        st.sampled_from(["88", "88.901", "", "1"]),
        RECORDS | st.just(site_record("127.0.0.1", 1)),
        TTLS,
    )
)


@given(
    NAMES,
    st.sampled_from(["TXT", "URI", "NAPTR", "ANY", "SOA", "NS", "A", "SRV", "DS", "TYPE65280"]),
    st.sampled_from([ROOT, NATIONAL, SECTOR, RECURSIVE]),
    ANSWERS,
    st.sampled_from([None, 512, 1232, 65_535]),
)
def test_every_answer_makes_a_reply_within_its_limit(
    name: str, rtype: str, view: ZoneView, answer: Answer, payload: int | None
) -> None:
    asked = question(name, rtype, payload)
    message = reply(asked, answer, view)
    assert message.question[0].rdtype == asked.qtype
    if message.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        assert not [*message.answer, *message.authority]
        assert len(message.to_wire()) <= len(query(name, rtype, payload)) + 64
