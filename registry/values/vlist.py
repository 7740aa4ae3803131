"""HS_VLIST: a list of references to values, used for groups of administrators (RFC 3651 3.2.6)."""

from __future__ import annotations

from collections.abc import Iterable

from registry.values.json_members import Members
from registry.values.value import Reference
from registry.values.wire import WireReader, string, u32

_MIN_REFERENCE_SIZE = 8


def encode_vlist(references: Iterable[Reference]) -> bytes:
    """The data of an HS_VLIST value: a count and, for each, handle string and index 4."""
    parts = [string(reference.handle) + u32(reference.index) for reference in references]
    return u32(len(parts)) + b"".join(parts)


def decode_vlist(data: bytes) -> tuple[Reference, ...]:
    """The references in the data of an HS_VLIST value. Raises DecodeError."""
    reader = WireReader(data)
    references = tuple(
        Reference(reader.string("reference handle"), reader.u32("reference index"))
        for _ in range(reader.count("reference", _MIN_REFERENCE_SIZE))
    )
    reader.finish("value list")
    return references


def references_to_json(references: Iterable[Reference]) -> list[dict[str, object]]:
    """The JSON form. Raises UnicodeDecodeError for a handle that is not UTF-8."""
    return [
        {"handle": reference.handle.decode(), "index": reference.index} for reference in references
    ]


def references_from_json(objects: Iterable[Members]) -> tuple[Reference, ...]:
    """The references in a JSON form. Raises InvalidValue."""
    return tuple(
        Reference(members.text("handle").encode(), members.number("index")) for members in objects
    )
