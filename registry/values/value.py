"""A handle value and a record (an identifier's values) in the encoding of RFC 3651 section 3.1.

A record is stored as it goes over the wire: a 4-octet count and the values, each
index 4, timestamp 4, TTL type 1, TTL 4, permissions 1, type string, data string, reference count 4,
references (handle string, index 4). `scan` and `select` work on those bytes without making objects.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from registry.errors import DecodeError
from registry.values.wire import WireReader, string, u32

ADMIN_READ, ADMIN_WRITE, PUBLIC_READ, PUBLIC_WRITE = 8, 4, 2, 1
DEFAULT_PERMISSIONS: Final = ADMIN_READ | ADMIN_WRITE | PUBLIC_READ
DEFAULT_TTL: Final = 86_400
TTL_RELATIVE, TTL_ABSOLUTE = 0, 1
#: A value is at least this long: fixed fields 14, two empty strings 8, reference count 4.
MIN_VALUE_SIZE: Final = 26

_FIXED: Final = struct.Struct(">IIBIB")  # index, timestamp, TTL type, TTL, permissions
_U32: Final = struct.Struct(">I")


class Reference(NamedTuple):
    """A pointer to a value of another identifier. `handle` is UTF-8; index 0 means any."""

    handle: bytes
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here


@dataclass(frozen=True, slots=True)
class Value:
    """One value of an identifier (RFC 3651 section 3.1).

    `type` and `data` are octets (types are UTF-8 by convention); `ttl` is seconds from now when
    `ttl_type` is 0, a Unix time when it is 1; `timestamp` is the Unix time of the last change.
    """

    index: int
    type: bytes
    data: bytes
    ttl_type: int = TTL_RELATIVE
    ttl: int = DEFAULT_TTL
    timestamp: int = 0
    permissions: int = DEFAULT_PERMISSIONS
    references: tuple[Reference, ...] = field(default=())


class Span(NamedTuple):
    """Where one value lies in a record's bytes, with what selection needs to know of it."""

    index: int  # type: ignore[assignment]
    permissions: int
    type: bytes
    start: int
    end: int


def encode_value(value: Value) -> bytes:
    """The octets of one value."""
    parts = [
        _FIXED.pack(value.index, value.timestamp, value.ttl_type, value.ttl, value.permissions),
        string(value.type),
        string(value.data),
        u32(len(value.references)),
    ]
    for reference in value.references:
        parts += (string(reference.handle), u32(reference.index))
    return b"".join(parts)


def read_value(reader: WireReader) -> Value:
    """One value at the reader's place. Raises DecodeError."""
    index, timestamp, ttl_type, ttl, permissions = _FIXED.unpack(reader.take(14, "value"))
    type_ = reader.string("value type")
    data = reader.string("value data")
    references = tuple(
        Reference(reader.string("reference handle"), reader.u32("reference index"))
        for _ in range(reader.count("reference", 8))
    )
    return Value(index, type_, data, ttl_type, ttl, timestamp, permissions, references)


def decode_value(data: bytes) -> Value:
    """Exactly one value; left-over octets are refused. Raises DecodeError."""
    reader = WireReader(data)
    value = read_value(reader)
    reader.finish("value")
    return value


def encode_record(values: Sequence[Value]) -> bytes:
    """A record: the number of values and the values."""
    return u32(len(values)) + b"".join(map(encode_value, values))


def read_values(reader: WireReader) -> tuple[Value, ...]:
    """A counted list of values at the reader's place. Raises DecodeError."""
    return tuple(read_value(reader) for _ in range(reader.count("value", MIN_VALUE_SIZE)))


def decode_record(record: bytes) -> tuple[Value, ...]:
    """All values of a record. Raises DecodeError."""
    reader = WireReader(record)
    values = read_values(reader)
    reader.finish("record")
    return values


def scan(record: bytes) -> Iterator[Span]:
    """The values of a stored record as spans, without decoding them. The record is trusted."""
    unpack = _U32.unpack_from
    offset = 4
    for _ in range(unpack(record)[0]):
        start = offset
        type_end = start + 18 + unpack(record, start + 14)[0]
        offset = type_end + 4 + unpack(record, type_end)[0]
        references = unpack(record, offset)[0]
        offset += 4
        for _ in range(references):
            offset += 8 + unpack(record, offset)[0]
        yield Span(
            unpack(record, start)[0],
            record[start + 13],
            record[start + 18 : type_end],
            start,
            offset,
        )


def bounds(record: bytes) -> list[tuple[int, int, int]]:
    """Where each value of a stored record begins, its type ends, and its data. It is trusted."""
    unpack = _U32.unpack_from
    found, offset = [], 4
    for _ in range(unpack(record)[0]):
        start = offset
        type_end = start + 18 + unpack(record, start + 14)[0]
        data_end = type_end + 4 + unpack(record, type_end)[0]
        found.append((start, type_end, data_end))
        offset = data_end + 4
        for _ in range(unpack(record, data_end)[0]):
            offset += 8 + unpack(record, offset)[0]
    return found


def join_spans(record: bytes, spans: Iterable[Span]) -> bytes:
    """A record made of the given spans of another one."""
    pieces = [record[span.start : span.end] for span in spans]
    return _U32.pack(len(pieces)) + b"".join(pieces)


def type_matches(asked: bytes, actual: bytes) -> bool:
    """RFC 3651 section 3.1: ASCII-case-insensitive, and `URL.` covers `URL` and `URL.x`."""
    asked, actual = asked.upper(), actual.upper()
    if asked.endswith(b"."):
        return actual.startswith(asked) or actual == asked[:-1]
    return actual == asked


def selected(span: Span, indexes: Sequence[int], types: Sequence[bytes]) -> bool:
    """Whether a query for these indexes or types wants the value; both empty wants all."""
    if not indexes and not types:
        return True
    return span.index in indexes or any(type_matches(asked, span.type) for asked in types)


def check_trusted(record: bytes) -> bytes:
    """The record itself if every length in it is consistent; for bytes that came from outside."""
    decode_record(record)
    return record


__all__ = [
    "DecodeError",
    "Reference",
    "Span",
    "Value",
    "bounds",
    "decode_record",
    "decode_value",
    "encode_record",
    "encode_value",
    "join_spans",
    "scan",
    "selected",
    "type_matches",
]
