"""The client's side of a resolution, held against replies of the reference server."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry import outcomes
from registry.errors import DecodeError
from registry.values.value import decode_record
from resolver.codecs.handle.asking import NotTheReply, Question
from resolver.codecs.handle.bodies.resolution import (
    Referral,
    ResolveReply,
    decode_resolve_request,
    encode_referral,
    encode_resolve_reply,
)
from resolver.codecs.handle.fragments import Reassembler
from resolver.codecs.handle.message import Message, decode_message, encode_message
from resolver.query import Referral as ReferralAnswer
from resolver.query import Refused, Values
from tests.support.handle_vectors import case_id, cases
from tests.support.playbook import site, site_record, values

QUESTION = Question(b"88.901.7/Bot-1", 0x01020304)
RECORD = values().record


def is_resolution(case: dict[str, object]) -> bool:
    header = case.get("response_header")
    return (
        isinstance(header, dict)
        and header["op_code"] == 1
        and len(case["request_packets_hex"]) == 1  # type: ignore[arg-type]
        and not str(case["id"]).startswith("udp-bad")
    )


RESOLUTIONS = [case for case in cases("wire_udp") if is_resolution(case)]


@pytest.mark.parametrize("case", RESOLUTIONS, ids=case_id)
def test_replies_of_the_reference_server(case):
    request = decode_message(bytes.fromhex(case["request_packets_hex"][0]))
    asked = decode_resolve_request(request.body)
    question = Question(asked.handle, request.request_id)
    packets = [bytes.fromhex(packet) for packet in case["response_packets_hex"]]
    message = packets[0]
    if len(packets) > 1:
        reassembler = Reassembler()
        (message,) = [whole for packet in packets if (whole := reassembler.feed(0, packet, 0.0))]
    answer = question.read(message, now=1_800_000_000.0)
    code = case["response_header"]["response_code"]
    if isinstance(answer, Values):
        assert code == 1
        assert decode_record(answer.record)
    else:
        assert answer.outcome.handle == code


def test_a_prefix_referral_of_the_reference_server_names_no_prefix():
    (case,) = [one for one in RESOLUTIONS if one["id"] == "udp-derived-prefix-referral"]
    packet = bytes.fromhex(case["response_packets_hex"][0])
    answer = Question(b"", decode_message(packet).request_id).read(packet, 0.0)
    assert isinstance(answer, ReferralAnswer)
    assert (answer.outcome, answer.prefix) == (outcomes.PREFIX_REFERRAL, "")
    assert {value.type for value in decode_record(answer.record)} == {b"HS_SITE.PREFIX"}


def test_the_question_is_asked_as_a_resolver_asks():
    request = decode_message(QUESTION.encode(now=1000.0))
    assert (request.major, request.minor, request.suggest_minor) == (2, 11, 11)
    assert request.op_flags == 0x19000000
    assert (request.request_id, request.site_serial) == (0x01020304, 0xFFFF)
    assert decode_resolve_request(request.body).handle == b"88.901.7/Bot-1"


def reply(**changes: object) -> bytes:
    body = encode_resolve_reply(ResolveReply(b"88.901.7/bOT-1", RECORD))
    message = Message(1, 1, body, request_id=0x01020304)
    return encode_message(dataclasses.replace(message, **changes))  # type: ignore[arg-type]


def test_the_handle_may_come_back_in_another_case():
    answer = QUESTION.read(reply(), 0.0)
    assert answer == Values(RECORD, 86_400, authoritative=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"request_id": 0x01020305},
        {"op_code": 2},
        {"response_code": 0},
        {"body": encode_resolve_reply(ResolveReply(b"88.901.7/BOT-2", RECORD))},
    ],
    ids=["id", "operation", "a request", "another handle"],
)
def test_forgeries(changes):
    with pytest.raises(NotTheReply):
        QUESTION.read(reply(**changes), 0.0)


def test_a_service_referral_names_its_prefix():
    record = site_record(site("10.0.0.1"), ttl=60)
    body = encode_referral(Referral(b"0.na/88.901", record))
    answer = QUESTION.read(reply(response_code=302, body=body), 0.0)
    assert answer == ReferralAnswer(outcomes.SERVICE_REFERRAL, "88.901", record, 60)


@pytest.mark.parametrize("handle", [b"88.901/SITE", b"\xff/\xff"])
def test_a_referral_to_what_is_no_prefix_record_cannot_be_read(handle):
    with pytest.raises(DecodeError):
        QUESTION.read(reply(response_code=302, body=encode_referral(Referral(handle))), 0.0)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (2, outcomes.INTERNAL),
        (3, outcomes.BUSY),
        (100, outcomes.NOT_FOUND),
        (301, outcomes.NOT_RESPONSIBLE),
        (9999, outcomes.INTERNAL),
    ],
)
def test_refusals(code, outcome):
    answer = QUESTION.read(reply(response_code=code, body=b"\0\0\0\x02no"), 0.0)
    assert answer == Refused(outcome, "no")


@given(st.integers(0, 300), st.binary(min_size=1, max_size=8), st.sampled_from([1, 2, 302, 402]))
def test_damaged_replies_are_read_or_refused(place, damage, code):
    data = reply(response_code=code)
    damaged = data[:place] + damage + data[place + len(damage) :]
    for text in (damaged, data[:place]):
        try:
            QUESTION.read(text, 0.0)
        except DecodeError:
            continue
