"""Queries to feed the DNS codec with, and a view of a node to answer from."""

from __future__ import annotations

import dns.message
import dns.rdatatype

from registry.schemes.handle import Key
from registry.values.site import Attribute, Server, Site, encode_site
from registry.values.value import Value, encode_record
from resolver.codecs.dns.answer import encode_reply
from resolver.codecs.dns.question import read_question
from resolver.codecs.dns.reply import Question
from resolver.codecs.dns.zone import ZoneView, locate, lookup_key, name_server
from resolver.query import Answer

ZONE = (b"id", b"test")
ROOT = ZoneView(ZONE, name_server("127.0.0.1", 2653), frozenset({"", "0.NA"}))
NATIONAL = ZoneView(ZONE, name_server("127.0.0.1", 2663), frozenset({"88"}))
SECTOR = ZoneView(
    ZONE, name_server("127.0.0.1", 2673), frozenset({"88.901", "88.901.7"}), serial=lambda: 42
)
RECURSIVE = ZoneView(ZONE, name_server("127.0.0.1", 2643), recursion=True)


def query(name: str, rtype: str = "TXT", payload: int | None = 1232) -> bytes:
    """A query with recursion desired; EDNS unless `payload` is None."""
    edns: int | bool = False if payload is None else 0
    message = dns.message.make_query(name, rtype, use_edns=edns, payload=payload or 0)
    return message.to_wire()


def question(name: str, rtype: str = "TXT", payload: int | None = 1232) -> Question:
    """The same, read by the codec."""
    found = read_question(query(name, rtype, payload))
    assert isinstance(found, Question)
    return found


def reply(
    asked: Question, answer: Answer | None, view: ZoneView, max_size: int | None = None
) -> dns.message.Message:
    """The codec's reply as dnspython reads it, which must find nothing wrong with it."""
    wire = encode_reply(asked, locate(asked, view), answer, view, max_size or asked.udp_limit)
    assert len(wire) <= (max_size or asked.udp_limit)
    return dns.message.from_wire(wire, raise_on_truncation=False)


def asked_for(name: str, view: ZoneView) -> Key | None:
    """The identifier that a node resolves to answer for a name."""
    target = locate(question(name), view)
    assert target is not None
    return lookup_key(target, view)


def site_record(address: str, dns_port: int | None = None) -> bytes:
    """Site values as a referral holds them."""
    attributes = () if dns_port is None else (Attribute(b"dns_port", b"%d" % dns_port),)
    site = Site((Server(1, address, b"", ()),), attributes)
    return encode_record([Value(1, b"HS_SITE", encode_site(site))])


def texts(message: dns.message.Message, section: str = "answer") -> list[str]:
    """A section's records, one a line, as dnspython prints them."""
    lines = (str(rrset) for rrset in getattr(message, section))
    return [line for lines_of in lines for line in lines_of.splitlines()]
