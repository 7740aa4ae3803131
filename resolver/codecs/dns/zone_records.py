"""The records that a zone has of its own: SOA, its name server, that one's addresses and port."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from registry.schemes.dns_name import PlaceKind
from resolver.codecs.dns import rdata
from resolver.codecs.dns.reply import (
    AAAA,
    ANY,
    ASKED_NAME,
    HEADER_SIZE,
    HINFO,
    NS,
    SOA,
    SRV,
    A,
    Question,
    Records,
    Sections,
    record,
    together,
)
from resolver.codecs.dns.zone import NameServer

#: Seconds that a zone's own records may be kept.
ZONE_TTL: Final = 3600
#: Seconds that a negative answer may be kept at most: the last field of the SOA.
NEGATIVE_TTL: Final = 5

_DNS_PORT: Final = 53
_SERVER: Final = b"\x02ns"
_SERVICE: Final = b"\x04_dns\x04_udp\x02ns"
_ADDRESS_TYPES: Final = {4: A, 16: AAAA}


class _Zone(NamedTuple):
    """What the records of one zone are made from. `name` is a pointer to its name."""

    question: Question
    name: bytes
    server: NameServer
    ttl: int
    serial: int


def of_place(
    question: Question, kind: PlaceKind, name: bytes, server: NameServer, ttl: int, serial: int = 1
) -> Sections:
    """What a name of a zone has of the type asked; no answer records where it has none."""
    zone = _Zone(question, name, server, min(ttl, ZONE_TTL), serial)
    if question.qtype == ANY and kind is not PlaceKind.BETWEEN:
        return Sections(answer=record(HINFO, zone.ttl, rdata.HINFO_RDATA))
    make = _RECORDS.get((kind, question.qtype))
    return Sections() if make is None else make(zone)


def name_server_record(owner: bytes, zone: bytes, ttl: int) -> Records:
    """The NS record of a zone; both names are pointers."""
    return record(NS, ttl, _SERVER + zone, owner)


def whereabouts(question: Question, zone: bytes, server: NameServer, ttl: int) -> Records:
    """The addresses of a zone's name server, and its port where it is not the usual one."""
    found = [
        record(_ADDRESS_TYPES[len(address)], ttl, address, _SERVER + zone)
        for address in server.addresses
    ]
    if server.port not in (None, _DNS_PORT):
        found.append(_port_record(question, zone, server, ttl, _SERVICE + zone))
    return together(found)


def _port_record(
    question: Question, zone: bytes, server: NameServer, ttl: int, owner: bytes
) -> Records:
    # RFC 2782 allows no pointer in the target: the name is spelt out from the question.
    start = (int.from_bytes(zone, "big") & 0x3FFF) - HEADER_SIZE
    target = _SERVER + question.wire[start:-4].lower()
    return record(SRV, ttl, rdata.srv(server.port or _DNS_PORT, target), owner)


def _soa(zone: _Zone) -> Sections:
    return Sections(answer=record(SOA, zone.ttl, rdata.soa(zone.name, zone.serial, NEGATIVE_TTL)))


def _ns(zone: _Zone) -> Sections:
    return Sections(
        answer=name_server_record(ASKED_NAME, zone.name, zone.ttl),
        additional=whereabouts(zone.question, zone.name, zone.server, zone.ttl),
    )


def _address(zone: _Zone) -> Sections:
    return Sections(
        answer=together(
            record(zone.question.qtype, zone.ttl, address)
            for address in zone.server.addresses
            if _ADDRESS_TYPES[len(address)] == zone.question.qtype
        )
    )


def _srv(zone: _Zone) -> Sections:
    question, name, server, ttl, _ = zone
    if server.port is None:
        return Sections()
    return Sections(answer=_port_record(question, name, server, ttl, ASKED_NAME))


_RECORDS: Final[dict[tuple[PlaceKind, int], Callable[[_Zone], Sections]]] = {
    (PlaceKind.APEX, SOA): _soa,
    (PlaceKind.APEX, NS): _ns,
    (PlaceKind.SERVER, A): _address,
    (PlaceKind.SERVER, AAAA): _address,
    (PlaceKind.SERVICE, SRV): _srv,
}
