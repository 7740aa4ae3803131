"""Bodies of administration (RFC 3652 section 3.3 onwards): handles, values, lists of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from registry.values.value import Value, encode_record, read_values
from registry.values.wire import WireReader, string, u32
from resolver.codecs.handle.bodies.resolution import encode_indexes, read_indexes


class ValuesRequest(NamedTuple):
    """Create a handle, or add or modify values of one."""

    handle: bytes
    values: tuple[Value, ...]


class RemoveRequest(NamedTuple):
    """Remove the values with these indexes."""

    handle: bytes
    indexes: tuple[int, ...]


def encode_handle(handle: bytes) -> bytes:
    """A handle alone: site info, delete, list, home, unhome, session end; reply to a create."""
    return string(handle)


def decode_handle(body: bytes) -> bytes:
    return WireReader(body).string("handle")


def encode_values_request(request: ValuesRequest) -> bytes:
    return string(request.handle) + encode_record(request.values)


def decode_values_request(body: bytes) -> ValuesRequest:
    reader = WireReader(body)
    return ValuesRequest(reader.string("handle"), read_values(reader))


def encode_remove_request(request: RemoveRequest) -> bytes:
    return string(request.handle) + encode_indexes(request.indexes)


def decode_remove_request(body: bytes) -> RemoveRequest:
    reader = WireReader(body)
    return RemoveRequest(reader.string("handle"), read_indexes(reader))


def encode_handles(handles: Sequence[bytes]) -> bytes:
    """One message of a list of handles; all but the last message of the list have CN set."""
    return u32(len(handles)) + b"".join(map(string, handles))


def decode_handles(body: bytes) -> tuple[bytes, ...]:
    reader = WireReader(body)
    return tuple(reader.string("handle") for _ in range(reader.count("handle", 4)))
