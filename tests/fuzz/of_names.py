"""Decoders of identifiers and of DNS: questions, names, streams, the values in TXT records."""

from __future__ import annotations

from contextlib import suppress

from registry.errors import DecodeError, InvalidIdentifier
from registry.schemes.dns_name import describe, from_labels, to_name, zone_labels
from registry.schemes.handle import Key, ancestors, parse
from registry.values.value import Value, encode_record, encode_value
from resolver.codecs.dns.answer import encode_reply
from resolver.codecs.dns.framing import Splitter
from resolver.codecs.dns.question import Dropped, Rejected, read_question
from resolver.codecs.dns.reply import Question, cache_key, with_id
from resolver.codecs.dns.zone import NameServer, ZoneView, locate, lookup_key, servers_of
from resolver.codecs.dns_txt import read_txt
from resolver.query import Values
from tests.fuzz.invariants import Target, in_pieces
from tests.fuzz.seeds import octets

_ZONE = zone_labels("id.test")
_VIEW = ZoneView(_ZONE, NameServer((bytes([127, 0, 0, 1]),), 53), {"88.901"})
_NAMES = (
    b"mes--0001.h.7.901.88.id.test",
    b"7.p.901.88.id.test",
    b"x--91imor3f.h.88.id.test",
    b"_dns._udp.ns.901.88.id.test",
)


def identify(data: bytes) -> None:
    """A canonical identifier is its own canonical form, and so is what its DNS name stands for."""
    with suppress(InvalidIdentifier):
        key = parse(data)
        assert parse(str(key)) == key
        assert len(ancestors(key.prefix)) <= 255
        name = to_name(key)
        assert from_labels(tuple(name.encode().split(b".")), _ZONE) == key


def name(data: bytes) -> None:
    """A DNS name stands for the one identifier that has this name, or for none."""
    labels = tuple(data.lower().split(b"."))
    found = from_labels(labels, _ZONE)
    if isinstance(found, Key):
        assert all(labels)
        with suppress(InvalidIdentifier):  # labels of any length come from here, not from a packet
            assert to_name(found).encode() == b".".join(labels)
    with suppress(InvalidIdentifier):
        describe(data.decode("utf-8", "replace"))


def question(data: bytes) -> None:
    """A datagram is a question that can be answered, is refused, or is dropped; nothing raises."""
    asked = read_question(data)
    if isinstance(asked, Dropped):
        return
    if isinstance(asked, Rejected):
        assert len(asked.reply) <= 512
        return
    assert isinstance(asked, Question)
    target = locate(asked, _VIEW)
    needed = None if target is None else lookup_key(target, _VIEW)
    answer = None if needed is None else Values(bytes(4))
    reply = encode_reply(asked, target, answer, _VIEW, asked.udp_limit)
    assert len(reply) <= asked.udp_limit
    assert with_id(reply, data) == reply
    cache_key(data)


def stream(data: bytes) -> None:
    """A DNS stream is cut into the same messages whatever pieces it comes in."""
    whole, pieces = Splitter(), Splitter()
    found = whole.feed(data)
    assert [each for piece in in_pieces(data) for each in pieces.feed(piece)] == found
    with suppress(DecodeError):
        whole.finish()
        assert sum(2 + len(each) for each in found) == len(data)


def text(data: bytes) -> None:
    """The strings of a TXT record make a value that can be stored, or are refused."""
    with suppress(DecodeError):
        encode_value(read_txt(data.split(b"\0")))


def servers(data: bytes) -> None:
    """Sites that anybody may have written name servers, or are passed over."""
    server = servers_of(encode_record([Value(1, b"HS_SITE", data)]))
    assert server.port is None or 0 < server.port < 65_536


def _packet(name: bytes) -> bytes:
    labels = b"".join(bytes([len(label)]) + label for label in name.split(b"."))
    options = b"\0\0\x29\x04\xd0\0\0\x80\0\0\x04\0\x0a\0\0"
    return b"\x12\x34\1\0\0\1\0\0\0\0\0\1" + labels + b"\0\0\x10\0\1" + options


_PACKETS = [_packet(name) for name in _NAMES]
_HANDLES = [b"88.901/MES.0001", b"0.NA/88.901", "88.901/瓶 7".encode(), b"88/x@y"]

TARGETS = {
    "identifier": Target(identify, [*_HANDLES, *octets("site_hash", "handle_hex")]),
    "dns-name": Target(name, _NAMES),
    "dns-question": Target(question, _PACKETS),
    "dns-stream": Target(stream, [len(each).to_bytes(2, "big") + each for each in _PACKETS]),
    "dns-text": Target(
        text, [b"index=1\0type=URL\0data=https://a.example/", b"index=2\0data64=AA=="]
    ),
    "dns-servers": Target(servers, octets("sites", "hex")),
}
