"""Reading a query: one question, perhaps EDNS; everything else is refused or dropped (RFC 1035)."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from registry import outcomes
from registry.errors import DecodeError
from resolver.codecs.dns.reply import (
    DO,
    HEADER,
    HEADER_SIZE,
    IN,
    OPCODE_MASK,
    OPT,
    PLAIN_UDP,
    QR,
    RD,
    ExtendedError,
    Question,
    Sections,
    assemble,
    header_only,
)

MAX_NAME: Final = 255
MAX_LABEL: Final = 63
_POINTER: Final = 0xC0
_TYPE_CLASS: Final = struct.Struct(">HH")
_RECORD: Final = struct.Struct(">HHIH")  # type, class, TTL, length
_OPTION: Final = struct.Struct(">HH")  # code, length
_NOT_AUTHORITATIVE: Final = 20  # RFC 8914

#: Types that are no data: what asking for them gives. AXFR and IXFR are refused as a policy.
_META_TYPES: Final = {
    0: outcomes.FORMERR,
    OPT: outcomes.FORMERR,
    249: outcomes.NOTIMP,  # TKEY
    250: outcomes.FORMERR,  # TSIG
    251: outcomes.REFUSED,  # IXFR
    252: outcomes.REFUSED,  # AXFR
    253: outcomes.NOTIMP,  # MAILB
    254: outcomes.NOTIMP,  # MAILA
}


class Rejected(NamedTuple):
    """A query with an error for an answer: the whole reply, and its rcode for the counters."""

    reply: bytes
    rcode: int


class Dropped(NamedTuple):
    """A datagram that gets no answer, since one would be reflected or go round: and why."""

    reason: str


class _Edns(NamedTuple):
    payload: int
    version: int
    dnssec_ok: bool


def read_question(data: bytes) -> Question | Rejected | Dropped:
    """What a datagram asks, whatever it is: nothing is raised."""
    if len(data) < HEADER_SIZE:
        return Dropped("short")
    ident, flags, questions, answers, authorities, additionals = HEADER.unpack_from(data)
    if flags & QR:
        return Dropped("reply")
    if flags & OPCODE_MASK:
        return _bare(ident, flags, outcomes.NOTIMP)
    if questions != 1 or answers or authorities:
        return _bare(ident, flags, outcomes.FORMERR)
    try:
        labels, end = _asked_name(data)
        qtype, qclass = _TYPE_CLASS.unpack_from(data, end)
        end += _TYPE_CLASS.size
        edns = _additional(data, end, additionals)
    except (DecodeError, IndexError, struct.error):
        return _bare(ident, flags, outcomes.FORMERR)
    payload, dnssec_ok = (None, False) if edns is None else (edns.payload, edns.dnssec_ok)
    question = Question(
        ident, flags & RD != 0, data[HEADER_SIZE:end], labels, qtype, payload, dnssec_ok
    )
    if edns is not None and edns.version:
        return _rejected(question, outcomes.BADVERS)
    if qtype in _META_TYPES:
        return _rejected(question, _META_TYPES[qtype])
    if qclass != IN:
        return _rejected(question, outcomes.REFUSED, ExtendedError(_NOT_AUTHORITATIVE))
    return question


def _asked_name(data: bytes) -> tuple[tuple[bytes, ...], int]:
    """The labels of the name at octet 12, lower-case, and where it ends; a pointer is an error."""
    name = data[HEADER_SIZE : HEADER_SIZE + MAX_NAME].lower()
    labels = []
    offset = 0
    while length := name[offset]:
        if length > MAX_LABEL:
            raise DecodeError("a label of a question is no plain label", HEADER_SIZE + offset)
        offset += 1
        labels.append(name[offset : offset + length])
        offset += length
    return tuple(labels), HEADER_SIZE + offset + 1


def _additional(data: bytes, offset: int, count: int) -> _Edns | None:
    """The EDNS record among `count` records, which must end with the message."""
    edns = None
    for _ in range(count):
        root = data[offset] == 0
        offset = _skip_name(data, offset)
        rtype, payload, flags, length = _RECORD.unpack_from(data, offset)
        offset += _RECORD.size
        if rtype == OPT:
            if edns is not None or not root:
                raise DecodeError("EDNS twice, or not at the root", offset)
            _check_options(data, offset, length)
            edns = _Edns(payload, flags >> 16 & 0xFF, flags & DO != 0)
        offset += length
    if offset != len(data):
        raise DecodeError("the message does not end where its records do", offset)
    return edns


def _skip_name(data: bytes, offset: int) -> int:
    """Where the name at `offset` ends; a pointer ends it and is not followed."""
    while length := data[offset]:
        if length >= _POINTER:
            return offset + 2
        if length > MAX_LABEL:
            raise DecodeError("a label of an unknown kind", offset)
        offset += 1 + length
    return offset + 1


def _check_options(data: bytes, offset: int, length: int) -> None:
    """Options must fill their record; which ones they are does not matter here."""
    end = offset + length
    while offset < end:
        _, size = _OPTION.unpack_from(data, offset)
        offset += _OPTION.size + size
    if offset != end:
        raise DecodeError("an EDNS option is longer than its record", offset)


def _bare(ident: int, flags: int, rcode: int) -> Rejected:
    return Rejected(header_only(ident, flags, rcode), rcode)


def _rejected(question: Question, rcode: int, error: ExtendedError | None = None) -> Rejected:
    reply = assemble(question, Sections(rcode, error=error), False, PLAIN_UDP)
    return Rejected(reply, rcode)
