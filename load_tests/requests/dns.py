"""DNS questions for the TXT records of an identifier, and the reply that holds exactly these.

The first right reply is taken apart; what repeats it octet for octet, but for id and TTLs, is right
as well.
"""

from __future__ import annotations

import struct
from functools import partial
from itertools import pairwise
from typing import Final, NamedTuple

from load_tests.requests.template import UNKNOWN, Kind, Part, Template, Verdict, Wire
from registry import outcomes
from resolver.codecs.dns.rdata import txt
from resolver.codecs.dns.reply import (
    EDNS_UDP,
    HEADER,
    HEADER_SIZE,
    IN,
    OPT,
    QR,
    RD,
    TC,
    TXT,
)

UDP: Final = Wire("dns-udp", id_at=0, id=struct.Struct(">H"))
TCP: Final = Wire("dns-tcp", id_at=0, id=struct.Struct(">H"))

_POINTER: Final = 0xC0
_RECORD: Final = struct.Struct(">HHIH")  # type, class, TTL, length
_OPT: Final = struct.pack(">BHHIH", 0, OPT, EDNS_UDP, 0, 0)
_RCODE: Final = 15
_FLAGS_AT: Final = 2
_TTL: Final = slice(4, 8)


class _Answer(NamedTuple):
    rdata: bytes
    ttl_at: int


def question(name: str, record: bytes, *, recursion_desired: bool = True) -> Template:
    """Ask for `name` TXT with EDNS, where the identifier's values in wire form are `record`.

    `name` is absolute, without the final dot.
    """
    asked = _question(name)
    expected = tuple(sorted(txt(record)))
    return Template(_request(asked, recursion_desired), [UNKNOWN], partial(_judge, expected, asked))


def denied(name: str, *, recursion_desired: bool = True) -> Template:
    """Ask for a name that does not exist."""
    asked = _question(name)
    return Template(_request(asked, recursion_desired), [UNKNOWN], _judge_denial)


def _question(name: str) -> bytes:
    labels = b"".join(b"%c%b" % (len(label), label.encode()) for label in name.split("."))
    return labels + b"\x00" + struct.pack(">HH", TXT, IN)


def _request(asked: bytes, recursion_desired: bool) -> bytes:
    return HEADER.pack(0, RD if recursion_desired else 0, 1, 0, 0, 1) + asked + _OPT


def _judge(expected: tuple[bytes, ...], asked: bytes, number: int, reply: bytes) -> Verdict:
    try:
        _, flags, questions, answers, _, _ = HEADER.unpack_from(reply)
        if refusal := _refusal(flags):
            return refusal
        if questions != 1 or reply[HEADER_SIZE : HEADER_SIZE + len(asked)].lower() != asked:
            return Verdict(Kind.WRONG, "the reply is to another question")
        found = _answers(reply, HEADER_SIZE + len(asked), answers)
    except (IndexError, struct.error):
        return Verdict(Kind.WRONG, "no DNS message")
    if tuple(sorted(answer.rdata for answer in found)) != expected:
        return Verdict(Kind.WRONG, "the records are not the expected ones")
    return Verdict(Kind.RIGHT, part=_part(reply, [answer.ttl_at for answer in found]))


def _judge_denial(number: int, reply: bytes) -> Verdict:
    flags = int.from_bytes(reply[_FLAGS_AT : _FLAGS_AT + 2], "big")
    rcode = flags & _RCODE
    if rcode == outcomes.NXDOMAIN:
        return Verdict(Kind.RIGHT)
    if rcode == outcomes.NOERROR:
        return Verdict(Kind.WRONG, "records of what does not exist")
    return Verdict(Kind.REFUSED, f"rcode {rcode}")


def _refusal(flags: int) -> Verdict | None:
    if not flags & QR:
        return Verdict(Kind.WRONG, "no reply but a question")
    if flags & TC:
        return Verdict(Kind.REFUSED, "truncated: to be asked over TCP")
    rcode = flags & _RCODE
    if rcode == outcomes.NOERROR:
        return None
    if rcode == outcomes.NXDOMAIN:
        return Verdict(Kind.WRONG, "denied what exists: NXDOMAIN")
    return Verdict(Kind.REFUSED, f"rcode {rcode}")


def _answers(reply: bytes, offset: int, count: int) -> list[_Answer]:
    """The TXT records of the answer section. Raises IndexError or struct.error."""
    found = []
    for _ in range(count):
        offset = _skip_name(reply, offset)
        rtype, _, _, length = _RECORD.unpack_from(reply, offset)
        end = offset + _RECORD.size + length
        if rtype == TXT:
            found.append(_Answer(reply[offset + _RECORD.size : end], offset + _TTL.start))
        offset = end
    return found


def _skip_name(reply: bytes, offset: int) -> int:
    while length := reply[offset]:
        if length >= _POINTER:
            return offset + 2
        offset += 1 + length
    return offset + 1


def _part(reply: bytes, ttls: list[int]) -> Part:
    """Everything but the id and the TTLs."""
    edges = [_FLAGS_AT, *(edge for ttl in ttls for edge in (ttl, ttl + 4)), len(reply)]
    between = list(pairwise(edges))[::2]
    return Part(len(reply), tuple((start, reply[start:end]) for start, end in between))
