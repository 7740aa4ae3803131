"""Datagrams that deserve no answer or a refusal, and the good ones that go after them."""

from __future__ import annotations

import struct
from dataclasses import replace

from registry import outcomes
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.message import Message, encode_message
from tests.support.wire import dns_request, resolve_request

#: An identifier that every minimal topology has.
KNOWN = "88.901/BOT-000001"


def good_handle() -> bytes:
    return resolve_request(KNOWN, ("URL",))


def good_dns() -> bytes:
    return dns_request("bot-000001.h.901.88.id.test", "URI").to_wire()


HEADER = Message(OpCode.RESOLVE, request_id=0x01020304)


def body(handle: bytes, indexes: bytes = bytes(4), types: bytes = bytes(4)) -> bytes:
    return struct.pack(">I", len(handle)) + handle + indexes + types


def message(handle: bytes, **members: int) -> bytes:
    return encode_message(replace(HEADER, body=body(handle), **members))


def with_length(data: bytes, length: int) -> bytes:
    """The same octets under another message length."""
    return data[:16] + struct.pack(">I", length) + data[20:]


WHOLE = message(KNOWN.encode())
#: Datagram -> why it is dropped.
HANDLE_DROPS = {
    "empty": (b"", "framing"),
    "one octet": (b"\x02", "framing"),
    "short envelope": (WHOLE[:19], "framing"),
    "envelope alone": (WHOLE[:20], "framing"),
    "cut": (WHOLE[:-5], "framing"),
    "longer than it says": (WHOLE + b"more", "framing"),
    "length 0": (with_length(WHOLE, 0), "framing"),
    "length over the limit": (with_length(WHOLE, 262_145), "framing"),
    "length of all ones": (with_length(WHOLE, 0xFFFF_FFFF), "framing"),
    "text": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "framing"),
    "packet 9 of 1": (b"\x02\x0b\x22" + WHOLE[3:15] + b"\x09" + WHOLE[16:], "framing"),
    "a reply": (encode_message(replace(HEADER, response_code=1)), "reply"),
    "an error": (encode_message(replace(HEADER, response_code=4, body=bytes(4))), "reply"),
    "a broken reply": (encode_message(replace(HEADER, response_code=1, body=b"x")), "reply"),
}
#: Message -> the outcome.
HANDLE_REFUSALS = {
    "op code 0": (message(b"88.901/X", op_code=0), outcomes.UNSUPPORTED),
    "op code 999": (message(b"88.901/X", op_code=999), outcomes.UNSUPPORTED),
    "op code of all ones": (message(b"88.901/X", op_code=0xFFFF_FFFF), outcomes.UNSUPPORTED),
    "no body": (encode_message(HEADER), outcomes.MALFORMED),
    "string past the end": (
        encode_message(replace(HEADER, body=b"\x00\x00\x01\x00" + bytes(20))),
        outcomes.MALFORMED,
    ),
    "string of 4 GiB": (
        encode_message(replace(HEADER, body=b"\xff\xff\xff\xff" + bytes(20))),
        outcomes.MALFORMED,
    ),
    "a million indexes": (
        encode_message(replace(HEADER, body=body(b"88.901/X", b"\x00\x0f\xff\xff"))),
        outcomes.MALFORMED,
    ),
    "a million types": (
        encode_message(replace(HEADER, body=body(b"88.901/X", types=b"\x00\x0f\xff\xff"))),
        outcomes.MALFORMED,
    ),
    "header alone": (with_length(encode_message(HEADER), 24)[:44], outcomes.MALFORMED),
    "lying body length": (WHOLE[:40] + b"\x00\x00\xff\xff" + WHOLE[44:], outcomes.MALFORMED),
    "lying credential": (WHOLE[:-4] + b"\x00\x00\xff\xff", outcomes.MALFORMED),
    "no UTF-8": (message(b"88.901/\xff\xfe"), outcomes.INVALID_IDENTIFIER),
    "NUL": (message(b"88.901/a\x00b"), outcomes.INVALID_IDENTIFIER),
    "line feed": (message(b"88.901/a\nb"), outcomes.INVALID_IDENTIFIER),
    "no prefix": (message(b"/x"), outcomes.INVALID_IDENTIFIER),
    "too long": (message(b"88.901/" + b"x" * 300), outcomes.INVALID_IDENTIFIER),
}


#: Octets of a stream -> the outcome that is said before the node closes it; None: it just closes.
HANDLE_STREAMS = {
    "nothing": (b"", None),
    "one octet": (b"\x02", outcomes.MALFORMED),
    "short envelope": (WHOLE[:19], outcomes.MALFORMED),
    "cut": (WHOLE[:-5], outcomes.MALFORMED),
    "length 0": (with_length(WHOLE, 0), outcomes.MALFORMED),
    "length over the limit": (with_length(WHOLE, 262_145), outcomes.TOO_LARGE),
    "length of all ones": (with_length(WHOLE, 0xFFFF_FFFF), outcomes.TOO_LARGE),
    "text": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", outcomes.TOO_LARGE),
}


def dns_header(flags: int = 0x0100, questions: int = 1, *counts: int) -> bytes:
    answers, authorities, additionals = counts or (0, 0, 0)
    return struct.pack(">6H", 0x5252, flags, questions, answers, authorities, additionals)


NAME = b"\x03abc\x02id\x04test\x00"
QUESTION = NAME + b"\x00\x10\x00\x01"
OPT = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"

DNS_DROPS = {
    "empty": (b"", "short"),
    "one octet": (b"\x52", "short"),
    "11 octets": (dns_header()[:11], "short"),
    "a reply": (dns_header(0x8180) + QUESTION, "reply"),
    "a refusal": (dns_header(0x8185)[:12], "reply"),
    "all ones": (b"\xff" * 64, "reply"),
}
#: Message -> rcode, and how much longer than it the reply may be.
DNS_REFUSALS = {
    "header alone": (dns_header(), outcomes.FORMERR, 0),
    "no question": (dns_header(questions=0), outcomes.FORMERR, 0),
    "two questions": (dns_header(questions=2) + QUESTION * 2, outcomes.FORMERR, 0),
    "many questions": (dns_header(questions=0xFFFF) + QUESTION, outcomes.FORMERR, 0),
    "an answer": (dns_header(0x0100, 1, 1, 0, 0) + QUESTION, outcomes.FORMERR, 0),
    "name without end": (dns_header() + b"\x3fabc", outcomes.FORMERR, 0),
    "name too long": (
        dns_header() + (b"\x3f" + b"a" * 63) * 5 + b"\x00\x00\x10\x00\x01",
        outcomes.FORMERR,
        0,
    ),
    "pointer to itself": (dns_header() + b"\xc0\x0c\x00\x10\x00\x01", outcomes.FORMERR, 0),
    "pointers in a circle": (
        dns_header() + b"\xc0\x0e\xc0\x0c\x00\x10\x00\x01",
        outcomes.FORMERR,
        0,
    ),
    "unknown kind of label": (dns_header() + b"\x80a\x00\x00\x10\x00\x01", outcomes.FORMERR, 0),
    "no type": (dns_header() + NAME, outcomes.FORMERR, 0),
    "octets behind the end": (dns_header() + QUESTION + b"more", outcomes.FORMERR, 0),
    "additional that is not there": (
        dns_header(0x0100, 1, 0, 0, 1) + QUESTION,
        outcomes.FORMERR,
        0,
    ),
    "EDNS twice": (dns_header(0x0100, 1, 0, 0, 2) + QUESTION + OPT * 2, outcomes.FORMERR, 0),
    "EDNS option past its record": (
        dns_header(0x0100, 1, 0, 0, 1) + QUESTION + OPT[:-1] + b"\x04\x00\x0a\x00\x09",
        outcomes.FORMERR,
        0,
    ),
    "EDNS version 9": (
        dns_header(0x0100, 1, 0, 0, 1) + QUESTION + OPT[:6] + b"\x09" + OPT[7:],
        outcomes.BADVERS,
        0,
    ),
    "op code 1": (dns_header(0x0900) + QUESTION, outcomes.NOTIMP, 0),
    "op code 15": (dns_header(0x7900) + QUESTION, outcomes.NOTIMP, 0),
    "update": (dns_header(0x2900) + QUESTION, outcomes.NOTIMP, 0),
    "class CH": (dns_header() + NAME + b"\x00\x10\x00\x03", outcomes.REFUSED, 64),
    "AXFR": (dns_header() + NAME + b"\x00\xfc\x00\x01", outcomes.REFUSED, 64),
    "type 0": (dns_header() + NAME + b"\x00\x00\x00\x01", outcomes.FORMERR, 0),
    "OPT asked for": (dns_header() + NAME + b"\x00\x29\x00\x01", outcomes.FORMERR, 0),
}
