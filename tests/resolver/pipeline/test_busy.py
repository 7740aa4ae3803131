"""What a client is told whose request is not looked at, for too much else is under way."""

from __future__ import annotations

import dns.edns
import dns.message
import dns.rcode
import pytest

from registry import outcomes
from registry.clock import ManualClock
from resolver.administration.context import TCP, Context
from resolver.administration.desk import Certification
from resolver.codecs.handle.bodies.resolution import (
    ResolveRequest,
    decode_error,
    encode_resolve_request,
)
from resolver.codecs.handle.header import CT, RD
from resolver.codecs.handle.message import Message, decode_message, encode_message
from resolver.metrics import Counters
from resolver.pipeline.dns import DnsFront
from resolver.pipeline.handle import HandleFront
from resolver.pipeline.responder import TOO_MUCH, Responder
from resolver.pipeline.sources import Sources
from tests.support.dns_messages import SECTOR, query

CONTEXT = Context("192.0.2.1", TCP)


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def handle(counters):
    sources = Sources(None, clock=ManualClock())
    certification = Certification(lambda: pytest.fail("nothing is to be signed"))
    responder = Responder(sources, counters, certification.certifier, site=b"site", serial=1)
    yield HandleFront(sources, counters, responder)
    certification.close()


def test_handle_says_busy_under_the_id_of_the_request(handle, counters):
    body = encode_resolve_request(ResolveRequest(b"88.901.7/BOT-1"))
    request = Message(op_code=1, body=body, request_id=77, op_flags=CT | RD)
    reply = decode_message(handle.busy(encode_message(request), CONTEXT))
    assert (reply.response_code, reply.request_id) == (outcomes.BUSY.handle, 77)
    assert decode_error(reply.body) == TOO_MUCH
    assert reply.credential == b""
    assert counters.answers == {("handle-tcp", "overloaded"): 1}


@pytest.mark.parametrize(
    "data", [b"", bytes(30), encode_message(Message(op_code=1, response_code=1))]
)
def test_what_is_no_request_is_told_nothing(handle, counters, data):
    assert handle.busy(data, CONTEXT) is None
    assert counters.drops.total() == 1


def test_dns_says_servfail_with_the_reason(counters):
    front = DnsFront(Sources(None, clock=ManualClock()), counters, SECTOR)
    asked = query("bot-1.h.7.901.88.id.test.")
    said = front.busy(asked, ("192.0.2.1", 53))
    assert int.from_bytes(said[:2], "big") == len(said) - 2
    reply = dns.message.from_wire(said[2:])
    assert reply.rcode() == dns.rcode.SERVFAIL
    assert reply.id == dns.message.from_wire(asked).id
    (reason,) = [option for option in reply.options if option.otype == dns.edns.OptionType.EDE]
    assert reason.code == outcomes.BUSY.ede
    assert counters.answers == {("dns-tcp", "overloaded"): 1}
