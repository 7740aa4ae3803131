"""Reply messages: header, records, EDNS (RFC 6891) and extended errors (RFC 8914), put together.

Names in records are compressed against the question, which every reply repeats at octet 12.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

from registry import outcomes

QR, AA, TC, RD, RA = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080
OPCODE_MASK: Final = 0x7800
A, NS, SOA, HINFO, TXT, AAAA, SRV, NAPTR = 1, 2, 6, 13, 16, 28, 33, 35
OPT, DS, ANY, URI = 41, 43, 255, 256
IN: Final = 1
DO: Final = 0x8000
HEADER: Final = struct.Struct(">HHHHHH")
HEADER_SIZE: Final = HEADER.size

#: Most octets of a UDP reply: without EDNS (RFC 1035), and with it (no fragments on any path).
PLAIN_UDP, EDNS_UDP = 512, 1232
TCP_LIMIT: Final = 65_535
#: The pointer to the name in the question.
ASKED_NAME: Final = b"\xc0\x0c"

_RECORD: Final = struct.Struct(">HHIH")  # type, class, TTL, length
_TYPE_TTL: Final = struct.Struct(">HHI")  # type, class, TTL
_OPT: Final = struct.Struct(">BHHIH")  # root name, type, payload size, extended flags, length
#: EDNS of replies without an error, by the DO bit of the request, which it repeats.
_PLAIN_EDNS: Final = {bit: _OPT.pack(0, OPT, EDNS_UDP, bit * DO, 0) for bit in (False, True)}
_EDE: Final = struct.Struct(">HHH")  # option code, length, info code
_ANSWERS: Final = slice(6, 8)
_NO_NUMBER: Final = bytes(2)
_OF_STREAM: Final = b"\xff\xff"
_EDE_OPTION: Final = 15
_EDE_OTHER: Final = 0
#: An error reply may be 64 octets longer than its request; the option's head takes 6.
_EDE_TEXT: Final = 48
_MAX_TTL: Final = 0x7FFF_FFFF  # RFC 2181 section 8


class Question(NamedTuple):
    """What a client asks. `wire` is the question section as it came, `labels` are lower-case.

    `payload` is the size that EDNS announces, None without EDNS; `dnssec_ok` is its DO bit.
    """

    id: int
    recursion_desired: bool
    wire: bytes
    labels: tuple[bytes, ...]
    qtype: int
    payload: int | None
    dnssec_ok: bool

    @property
    def udp_limit(self) -> int:
        """Most octets that a UDP reply may have."""
        if self.payload is None:
            return PLAIN_UDP
        return min(max(self.payload, PLAIN_UDP), EDNS_UDP)


class ExtendedError(NamedTuple):
    """Why, in words of RFC 8914: a registered code and a short text."""

    code: int
    text: str = ""


class Records(NamedTuple):
    """Whole records: how many, and their octets one after another."""

    number: int
    octets: bytes


NONE: Final = Records(0, b"")


class Sections(NamedTuple):
    """A reply's contents by section."""

    rcode: int = outcomes.NOERROR
    authoritative: bool = False
    answer: Records = NONE
    authority: Records = NONE
    additional: Records = NONE
    error: ExtendedError | None = None


class TooLarge(Exception):  # noqa: N818 - an outcome: the client is told so
    """Something does not fit where DNS wants to put it."""


def record(rtype: int, ttl: int, rdata: bytes, owner: bytes = ASKED_NAME) -> Records:
    """One record of class IN. Raises TooLarge."""
    if len(rdata) > TCP_LIMIT:
        raise TooLarge
    head = _RECORD.pack(rtype, IN, min(ttl, _MAX_TTL), len(rdata))
    return Records(1, b"".join((owner, head, rdata)))


def together(records: Iterable[Records]) -> Records:
    """Records behind each other."""
    found = [*records]
    octets = b"".join([each.octets for each in found])
    return Records(sum(each.number for each in found), octets)


def records(rtype: int, ttl: int, contents: Iterable[bytes]) -> Records:
    """Records of one type about the name in the question. Raises TooLarge."""
    head = ASKED_NAME + _TYPE_TTL.pack(rtype, IN, min(ttl, _MAX_TTL))
    try:
        found = [head + len(rdata).to_bytes(2, "big") + rdata for rdata in contents]
    except OverflowError:
        raise TooLarge from None
    return Records(len(found), b"".join(found))


def pointer(offset: int) -> bytes:
    """A compressed name: what stands at this octet of the message (RFC 1035 section 4.1.4)."""
    return (0xC000 | offset).to_bytes(2, "big")


def assemble(question: Question, sections: Sections, recursion: bool, max_size: int) -> bytes:
    """The whole reply, or what stands for it where it has more than `max_size` octets."""
    answer, authority, additional = sections.answer, sections.authority, sections.additional
    records = answer.octets + authority.octets + additional.octets
    edns = b"" if question.payload is None else _edns(question, sections)
    if HEADER_SIZE + len(question.wire) + len(records) + len(edns) > max_size:
        return too_large(question, recursion, max_size)
    flags = (sections.authoritative and AA) | (sections.rcode & 15)
    counts = (answer.number, authority.number, additional.number)
    return _message(question, flags, recursion, counts, records + edns)


def too_large(question: Question, recursion: bool, max_size: int) -> bytes:
    """The reply in place of one that does not fit: "ask over TCP", or a failure over TCP itself.

    A truncated reply holds no records, so that nobody takes a part for the whole (RFC 2181 9).
    """
    if max_size < TCP_LIMIT:
        edns = b"" if question.payload is None else _edns(question, Sections())
        return _message(question, TC, recursion, (0, 0, 0), edns)
    error = ExtendedError(_EDE_OTHER, "The record is too large for DNS")
    return assemble(question, Sections(outcomes.SERVFAIL, error=error), recursion, max_size)


def header_only(ident: int, flags: int, rcode: int) -> bytes:
    """The reply to what cannot be read further: a header with the request's op code and RD."""
    return HEADER.pack(ident, QR | flags & (OPCODE_MASK | RD) | rcode, 0, 0, 0, 0)


def has_answers(reply: bytes) -> bool:
    """Whether there are records in the answer section."""
    return reply[_ANSWERS] != _NO_NUMBER


def cache_key(datagram: bytes) -> bytes:
    """What two datagrams with the same answer share: everything but the id, which is 0."""
    return b"\x00\x00" + datagram[2:]


def stream_cache_key(message: bytes) -> bytes:
    """The same for messages over TCP, whose replies may be longer: here the id is 65,535."""
    return _OF_STREAM + message[2:]


def is_of_stream(key: bytes) -> bool:
    """Which of the two a key is."""
    return key.startswith(_OF_STREAM)


def with_id(reply: bytes, datagram: bytes) -> bytes:
    """A kept reply with the id of the request it now answers."""
    return datagram[:2] + reply[2:]


def _message(
    question: Question, flags: int, recursion: bool, counts: tuple[int, int, int], records: bytes
) -> bytes:
    """Header, question and records; EDNS, where the client has it, is the last of them."""
    answer, authority, additional = counts
    flags |= QR | (question.recursion_desired and RD) | (recursion and RA)
    additional += question.payload is not None
    head = HEADER.pack(question.id, flags, 1, answer, authority, additional)
    return b"".join((head, question.wire, records))


def _edns(question: Question, sections: Sections) -> bytes:
    options = b""
    if sections.error is None and not sections.rcode:
        return _PLAIN_EDNS[question.dnssec_ok]
    if sections.error is not None:
        text = sections.error.text.encode()[:_EDE_TEXT].decode(errors="ignore").encode()
        options = _EDE.pack(_EDE_OPTION, 2 + len(text), sections.error.code) + text
    flags = sections.rcode >> 4 << 24 | (question.dnssec_ok and DO)
    return _OPT.pack(0, OPT, EDNS_UDP, flags, len(options)) + options
