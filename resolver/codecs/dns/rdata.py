"""The contents of records: a stored record's values as TXT, URI and NAPTR, and a zone's own.

The values are taken from the stored octets; no Value is made. The forms are those of docs/dns.md.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from registry.values.value import (
    DEFAULT_PERMISSIONS,
    DEFAULT_TTL,
    TTL_ABSOLUTE,
    Span,
    bounds,
    scan,
)
from resolver.codecs.dns.reply import NAPTR, TXT, URI, TooLarge

_NUMBER: Final = struct.Struct(">I")
_LIFE: Final = struct.Struct(">BIB")  # TTL type, TTL, permissions
_URI: Final = struct.Struct(">HH")  # priority, weight
_NAPTR: Final = struct.Struct(">HH")  # order, preference
_SOA: Final = struct.Struct(">IIIII")  # serial, refresh, retry, expire, minimum
_SRV: Final = struct.Struct(">HHH")  # priority, weight, port
#: Most octets of a character-string.
MAX_STRING: Final = 255
_NO_TIME: Final = bytes(4)
_CONTROL: Final = re.compile(rb"[\x00-\x1f\x7f]")
_REFRESH, _RETRY, _EXPIRE = 3600, 600, 86_400
#: RFC 8482 section 4.2: the answer to ANY.
HINFO_RDATA: Final = b"\x07RFC8482\x00"


def txt(record: bytes) -> Iterator[bytes]:
    """A TXT record a value: strings `name=value`, the data last. Raises TooLarge."""
    for start, type_end, data_end in bounds(record):
        life, type_ = record[start + 8 : start + 14], record[start + 18 : type_end]
        head = _head(record[start : start + 4], life, type_)
        if record[start + 4 : start + 8] != _NO_TIME:
            timestamp = _NUMBER.unpack_from(record, start + 4)[0]
            head += _string(b"timestamp=%d" % timestamp)
        data = shown(record[type_end + 4 : data_end])
        if len(data) <= MAX_STRING:
            yield b"%b%c%b" % (head, len(data), data)
        else:
            pieces = range(0, len(data), MAX_STRING)
            yield head + b"".join([_string(data[at : at + MAX_STRING]) for at in pieces])


@lru_cache(4096)
def _head(index: bytes, life: bytes, type_: bytes) -> bytes:
    """The strings that the values of one kind share, whichever identifier they belong to."""
    if len(type_) > MAX_STRING - len(b"type="):
        raise TooLarge
    ttl_type, ttl, permissions = _LIFE.unpack(life)
    strings = [b"index=%d" % _NUMBER.unpack(index)[0], b"type=" + type_]
    if ttl_type == TTL_ABSOLUTE:
        strings.append(b"expires=%d" % ttl)
    elif ttl != DEFAULT_TTL:
        strings.append(b"ttl=%d" % ttl)
    if permissions != DEFAULT_PERMISSIONS:
        strings.append(f"permissions={permissions:04b}".encode())
    return b"".join(map(_string, strings))


def _string(octets: bytes) -> bytes:
    """A character-string of at most 255 octets (RFC 1035 section 3.3)."""
    return b"%c%b" % (len(octets), octets)


def uri(record: bytes) -> Iterator[bytes]:
    """A URI record (RFC 7553) a URL value; its target may not be empty."""
    for url in _urls(record):
        yield _URI.pack(10, 1) + url


def naptr(record: bytes) -> Iterator[bytes]:
    """A NAPTR record (RFC 3403) a URL value whose substitution fits into a string."""
    for preference, url in enumerate(_urls(record), 1):
        target = url.replace(b"\\", rb"\\").replace(b"!", rb"\!")
        regexp = b"!^.*$!" + target + b"!"
        if len(regexp) <= MAX_STRING:
            head = _NAPTR.pack(100, preference) + b"\x01u\x08ID2U+web"
            yield head + _string(regexp) + b"\x00"


#: How the values of an identifier are given in each type.
OF_IDENTIFIER: Final[dict[int, Callable[[bytes], Iterator[bytes]]]] = {
    TXT: txt,
    URI: uri,
    NAPTR: naptr,
}


def soa(apex: bytes, serial: int, minimum: int) -> bytes:
    """The start of authority of the zone whose name is `apex` in wire form or a pointer."""
    times = _SOA.pack(serial & 0xFFFF_FFFF, _REFRESH, _RETRY, _EXPIRE, minimum)
    return b"\x02ns" + apex + b"\x0ahostmaster" + apex + times


def srv(port: int, target: bytes) -> bytes:
    """A service at `port` of the host `target`, whose name is not compressed (RFC 2782)."""
    return _SRV.pack(0, 0, port) + target


def _data(record: bytes, span: Span) -> bytes:
    start = span.start + 18 + len(span.type)
    return record[start + 4 : start + 4 + _NUMBER.unpack_from(record, start)[0]]


def shown(data: bytes) -> bytes:
    """Data as text if it is text without control characters, else in base64."""
    if is_text(data):
        return b"data=" + data
    return b"data64=" + base64.b64encode(data)


def is_text(data: bytes) -> bool:
    """Whether data is UTF-8 without control characters."""
    try:
        # Control characters are not printable; what else is not is looked at again.
        return data.decode().isprintable() or not _CONTROL.search(data)
    except UnicodeDecodeError:
        return False


def _urls(record: bytes) -> Iterator[bytes]:
    for span in scan(record):
        if span.type.upper() == b"URL" and (url := _data(record, span)):
            yield url
