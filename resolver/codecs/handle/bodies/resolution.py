"""Bodies of resolution (RFC 3652 section 3.2): question, record, referral, error text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from registry.values.value import read_values
from registry.values.wire import WireReader, string, u32


class ResolveRequest(NamedTuple):
    """Which values of which handle: a union of indexes and types, all if both are empty."""

    handle: bytes
    indexes: tuple[int, ...] = ()
    types: tuple[bytes, ...] = ()


class ResolveReply(NamedTuple):
    """The handle as it was asked for, and its values in wire form (count and values)."""

    handle: bytes
    record: bytes


class Referral(NamedTuple):
    """Whom to ask instead: a handle that holds sites (empty for 303), or the values themselves.

    `record` is in wire form; None when the list is absent, which is not the same as empty.
    """

    handle: bytes
    record: bytes | None = None


def encode_resolve_request(request: ResolveRequest) -> bytes:
    return (
        string(request.handle)
        + encode_indexes(request.indexes)
        + u32(len(request.types))
        + b"".join(map(string, request.types))
    )


def decode_resolve_request(body: bytes) -> ResolveRequest:
    reader = WireReader(body)
    handle = reader.string("handle")
    indexes = read_indexes(reader)
    types = tuple(reader.string("type") for _ in range(reader.count("type", 4)))
    return ResolveRequest(handle, indexes, types)


def encode_resolve_reply(reply: ResolveReply) -> bytes:
    return string(reply.handle) + reply.record


def decode_resolve_reply(body: bytes) -> ResolveReply:
    reader = WireReader(body)
    return ResolveReply(reader.string("handle"), _read_record(reader))


def encode_referral(referral: Referral) -> bytes:
    return string(referral.handle) + (referral.record or b"")


def decode_referral(body: bytes) -> Referral:
    reader = WireReader(body)
    handle = reader.string("referral handle")
    return Referral(handle, _read_record(reader) if reader.left else None)


def encode_error(text: str = "") -> bytes:
    """An error's text: its length is there even if it is empty."""
    return string(text.encode())


def decode_error(body: bytes) -> str:
    """The text of an error; a body without any octets, as the RFC has it, is an empty text."""
    return WireReader(body).string("error message").decode(errors="replace") if body else ""


def encode_indexes(indexes: Sequence[int]) -> bytes:
    return u32(len(indexes)) + b"".join(map(u32, indexes))


def read_indexes(reader: WireReader) -> tuple[int, ...]:
    """A counted list of value indexes."""
    return tuple(reader.u32("index") for _ in range(reader.count("index", 4)))


def _read_record(reader: WireReader) -> bytes:
    """The octets of a counted list of values, every length in them checked."""
    start = reader.offset
    read_values(reader)
    return reader.data[start : reader.offset]
