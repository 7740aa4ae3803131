"""Bad Handle messages to a node that lives: one outcome for each, counted, and small.

Every case goes over a socket together with a good request, which must be answered as ever.
"""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from registry import outcomes
from resolver.codecs.handle.header import CT, RD
from resolver.codecs.handle.message import decode_message, encode_message
from tests.support.bad_requests import (
    HANDLE_DROPS,
    HANDLE_REFUSALS,
    HANDLE_STREAMS,
    HEADER,
    good_handle,
    message,
)
from tests.support.counting import counted, difference
from tests.support.wire import Tcp, Udp, handle_tcp


@pytest.mark.parametrize("case", HANDLE_DROPS)
def test_a_handle_datagram_that_is_dropped(case, node):
    datagram, reason = HANDLE_DROPS[case]
    before = counted(node, "handle-udp")
    with Udp(node.handle, good=good_handle()) as peer:
        assert peer.provoke(datagram) == []
    assert difference(counted(node, "handle-udp"), before) == {reason: 1, "ok": 1}


@pytest.mark.parametrize("case", HANDLE_REFUSALS)
def test_a_handle_datagram_that_is_refused(case, node):
    datagram, outcome = HANDLE_REFUSALS[case]
    before = counted(node, "handle-udp")
    with Udp(node.handle, good=good_handle()) as peer:
        [reply] = peer.provoke(datagram)
    refused = decode_message(reply)
    assert (refused.response_code, refused.request_id) == (outcome.handle, HEADER.request_id)
    assert len(reply) <= len(datagram), "nothing is amplified"
    assert difference(counted(node, "handle-udp"), before) == {outcome.slug: 1, "ok": 1}


def test_a_refusal_is_not_made_longer_by_asking_for_digest_and_signature(node):
    datagram = message(b"88.901/X", op_code=999, op_flags=RD | CT)
    with Udp(node.handle, good=good_handle()) as peer:
        reply = peer.ask(datagram)
        assert peer.provoke() == []
    assert decode_message(reply).response_code == outcomes.UNSUPPORTED.handle
    assert len(reply) <= len(datagram)


def test_packets_of_messages_that_never_come_whole(node):
    packet = b"\x02\x0b\x22" + message(b"88.901/" + b"x" * 900)[3:512]
    with Udp(node.handle, good=good_handle()) as peer:
        for number in range(2000):
            peer.send(packet[:8] + struct.pack(">I", number) + packet[12:])
            if number % 50 == 0:
                assert peer.provoke() == []
        assert peer.provoke() == []


def test_a_datagram_as_large_as_can_be(node):
    """It is longer than what is read of one."""
    before = counted(node, "handle-udp")
    with Udp(node.handle, good=good_handle()) as peer:
        assert peer.provoke(message(b"88.901/" + b"x" * 65_400)) == []
    assert difference(counted(node, "handle-udp"), before) == {"framing": 1, "ok": 1}


@pytest.mark.parametrize("case", HANDLE_REFUSALS)
def test_a_handle_message_that_is_refused_over_tcp(case, node):
    request, outcome = HANDLE_REFUSALS[case]
    before = counted(node, "handle-tcp")
    with Tcp(node.handle) as peer:
        peer.send(request)
        refused = decode_message(peer.handle_message())
        assert (refused.response_code, refused.request_id) == (outcome.handle, HEADER.request_id)
        peer.send(good_handle())
        assert decode_message(peer.handle_message()).response_code == outcomes.OK.handle
    assert difference(counted(node, "handle-tcp"), before) == {outcome.slug: 1, "ok": 1}


@pytest.mark.parametrize("case", HANDLE_STREAMS)
def test_a_stream_that_is_no_messages(case, node):
    octets, outcome = HANDLE_STREAMS[case]
    before = counted(node, "handle-tcp")
    with Tcp(node.handle) as peer:
        peer.send(octets)
        said = peer.rest(half_close=outcome is not outcomes.TOO_LARGE)
    if outcome is None:
        assert said == b""
    else:
        assert decode_message(said).response_code == outcome.handle
        assert difference(counted(node, "handle-tcp"), before) == {outcome.slug: 1}
    assert handle_tcp(node.handle, good_handle()).response_code == outcomes.OK.handle


def test_a_reply_over_tcp_is_not_answered(node):
    before = counted(node, "handle-tcp")
    with Tcp(node.handle) as peer:
        peer.send(encode_message(replace(HEADER, response_code=1)) + good_handle())
        answered = decode_message(peer.handle_message())
    assert answered.response_code == outcomes.OK.handle
    assert answered.request_id != HEADER.request_id
    assert difference(counted(node, "handle-tcp"), before) == {"reply": 1, "ok": 1}
