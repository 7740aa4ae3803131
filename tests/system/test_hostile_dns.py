"""Bad DNS messages to a node that lives: one outcome for each, counted, and small."""

from __future__ import annotations

import dns.message
import pytest

from registry import outcomes
from tests.support.bad_requests import DNS_DROPS, DNS_REFUSALS, good_dns
from tests.support.counting import counted, difference
from tests.support.wire import Tcp, Udp, dns_request, dns_udp, framed


def rcode(reply: bytes) -> int:
    return dns.message.from_wire(reply, ignore_trailing=True).rcode()


@pytest.mark.parametrize("case", DNS_DROPS)
def test_a_dns_datagram_that_is_dropped(case, node):
    datagram, reason = DNS_DROPS[case]
    before = counted(node, "dns-udp")
    with Udp(node.dns, good=good_dns(), id_at=slice(0, 2)) as peer:
        assert peer.provoke(datagram) == []
    assert difference(counted(node, "dns-udp"), before) == {reason: 1, "ok": 1}


@pytest.mark.parametrize("case", DNS_REFUSALS)
def test_a_dns_datagram_that_is_refused(case, node):
    datagram, wanted, more = DNS_REFUSALS[case]
    before = counted(node, "dns-udp")
    with Udp(node.dns, good=good_dns(), id_at=slice(0, 2)) as peer:
        [reply] = peer.provoke(datagram)
    assert (rcode(reply), reply[:2]) == (wanted, datagram[:2])
    assert len(reply) <= len(datagram) + more
    assert difference(counted(node, "dns-udp"), before) == {"rejected": 1, "ok": 1}


@pytest.mark.parametrize("case", DNS_REFUSALS)
def test_a_dns_message_that_is_refused_over_tcp(case, node):
    message_, wanted, _ = DNS_REFUSALS[case]
    with Tcp(node.dns) as peer:
        peer.send(framed(message_))
        assert rcode(peer.dns_message()) == wanted
        peer.send(framed(good_dns()))
        assert rcode(peer.dns_message()) == outcomes.NOERROR


@pytest.mark.parametrize("case", DNS_DROPS)
def test_a_dns_message_that_is_dropped_over_tcp(case, node):
    message_, reason = DNS_DROPS[case]
    before = counted(node, "dns-tcp")
    with Tcp(node.dns) as peer:
        peer.send(framed(message_) + framed(good_dns()))
        assert rcode(peer.dns_message()) == outcomes.NOERROR
    assert difference(counted(node, "dns-tcp"), before) == {reason: 1, "ok": 1}


def test_a_dns_stream_that_is_cut(node):
    before = counted(node, "dns-tcp")
    with Tcp(node.dns) as peer:
        peer.send(framed(good_dns())[:9])
        assert peer.rest() == b""
    assert difference(counted(node, "dns-tcp"), before) == {"malformed": 1}


#: Names that no identifier has -> the rcode at the authority and through recursion.
NO_NAMES = {
    "id.test.": outcomes.NOERROR,
    "nope.id.test.": outcomes.NXDOMAIN,
    "x--0.h.901.88.id.test.": outcomes.NXDOMAIN,
    "x--%s.h.901.88.id.test." % ("v" * 60): outcomes.NXDOMAIN,
    "h.h.h.h.901.88.id.test.": outcomes.NXDOMAIN,
    "\\000\\255.h.901.88.id.test.": outcomes.NXDOMAIN,
    "elsewhere.example.": outcomes.REFUSED,
    ".": outcomes.REFUSED,
}


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_is_no_identifier(name, minimal):
    reply = dns_udp(minimal.node("recursive").dns, dns_request(name))
    assert reply.rcode() == NO_NAMES[name]
    assert not reply.answer
