"""Plain resolution without the general codec's objects: the node's hot path.

A request is plain if it is one unencrypted packet outside any session that asks for no signature,
no digest and no proof. `decode_plain_resolve` gives None for every other one: the general codec
reads it, or says what is wrong. What both can read, both read alike.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Final, NamedTuple

from registry.errors import DecodeError
from registry.values.wire import WireReader
from resolver.codecs.handle.bodies.resolution import read_indexes
from resolver.codecs.handle.fragments import MAX_DATAGRAM
from resolver.codecs.handle.header import AT, CT, ENC, RD, REC, TRUSTED_QUERY
from resolver.codecs.handle.reply import ECHOED
from resolver.codecs.handle.versions import OWN, Version, spoken, suggested

#: Versions; session id; sequence, length, op code, response code, flags; body length, handle
#: length.
_REQUEST: Final = struct.Struct(">4sI4xIIIII8xII")
_REPLY: Final = struct.Struct(">4sI4sIIIIIHBBIII")
#: Where the handle begins.
HANDLE_AT: Final = 48
_BODY_AT: Final = 44
_NO_SELECTION: Final = bytes(8)
_NO_CREDENTIAL: Final = bytes(4)
_NOT_PLAIN: Final = AT | CT | ENC | RD | TRUSTED_QUERY
_ENVELOPE_FLAGS: Final = 0xFC
_REQUEST_ID: Final = slice(8, 12)
_ZEROS, _ONES = bytes(4), b"\xff" * 4


class PlainResolve(NamedTuple):
    """A plain request: the handle as written, what is selected, the op flags.

    `versions` are the first four octets, `recursion_count` how many servers passed it on.
    """

    handle: bytes
    indexes: tuple[int, ...]
    types: tuple[bytes, ...]
    op_flags: int
    versions: bytes
    recursion_count: int

    @property
    def suggested_version(self) -> Version:
        """The newest version its sender can read."""
        return _suggested_version(self.versions)


def decode_plain_resolve(datagram: bytes) -> PlainResolve | None:
    """The request in a datagram, None if it is not plain or not sound."""
    size = len(datagram)
    if size < HANDLE_AT:
        return None
    (
        versions,
        session,
        sequence,
        length,
        op_code,
        response_code,
        flags,
        body_length,
        handle_length,
    ) = _REQUEST.unpack_from(datagram)
    if (
        op_code != 1
        or response_code
        or session
        or sequence
        or flags & _NOT_PLAIN
        or versions[2] & _ENVELOPE_FLAGS
        or length != size - 20
    ):
        return None
    body_end = _BODY_AT + body_length
    if size != body_end and (size != body_end + 4 or datagram[body_end:] != _NO_CREDENTIAL):
        return None
    handle_end = HANDLE_AT + handle_length
    if handle_end + 8 > body_end:
        return None
    indexes: tuple[int, ...] = ()
    types: tuple[bytes, ...] = ()
    if datagram[handle_end : handle_end + 8] != _NO_SELECTION:
        try:
            indexes, types = _selection(WireReader(datagram, handle_end, body_end))
        except DecodeError:
            return None
    return PlainResolve(
        datagram[HANDLE_AT:handle_end], indexes, types, flags, versions, datagram[34]
    )


def encode_plain_reply(
    datagram: bytes,
    request: PlainResolve,
    record: bytes,
    *,
    serial: int,
    expiration: int,
    flags: int = AT,
) -> bytes:
    """The successful reply to a plain request: its values in wire form, as one message.

    `flags` are set besides the echoed ones and REC. Longer ones than a datagram are for
    `fragments.split_message`.
    """
    body_length = 4 + len(request.handle) + len(record)
    return b"".join(
        (
            _REPLY.pack(
                _reply_versions(request.versions),
                0,
                datagram[_REQUEST_ID],
                0,
                28 + body_length,
                1,
                1,
                request.op_flags & ECHOED | REC | flags,
                serial,
                request.recursion_count,
                0,
                expiration,
                body_length,
                len(request.handle),
            ),
            request.handle,
            record,
            _NO_CREDENTIAL,
        )
    )


def cache_key(datagram: bytes) -> bytes:
    """What repeats of a plain request have in common: all but request id and expiration, which
    are 0."""
    return b"".join((datagram[:8], _ZEROS, datagram[12:36], _ZEROS, datagram[40:]))


def stream_cache_key(message: bytes) -> bytes:
    """The same for messages over TCP, whose replies are in one piece: here all bits of the request
    id are set."""
    return b"".join((message[:8], _ONES, message[12:36], _ZEROS, message[40:]))


def is_of_stream(key: bytes) -> bool:
    """Which of the two a key is."""
    return key[_REQUEST_ID] == _ONES


def with_request_id(octets: bytes, datagram: bytes) -> list[bytes]:
    """The packets of a kept reply, one after another in `octets`, as the reply to this request."""
    request_id = datagram[_REQUEST_ID]
    packets = (octets[at : at + MAX_DATAGRAM] for at in range(0, len(octets), MAX_DATAGRAM))
    return [packet[:8] + request_id + packet[12:] for packet in packets]


def reply_to_message(octets: bytes, message: bytes) -> bytes:
    """A kept reply in one piece, as the reply to this request."""
    return b"".join((octets[:8], message[_REQUEST_ID], octets[12:]))


def _selection(reader: WireReader) -> tuple[tuple[int, ...], tuple[bytes, ...]]:
    indexes = read_indexes(reader)
    return indexes, tuple(reader.string("type") for _ in range(reader.count("type", 4)))


@lru_cache(maxsize=256)
def _suggested_version(versions: bytes) -> Version:
    major, minor, octet, suggest_minor = versions
    return suggested(Version(major, minor), Version(octet & 3, suggest_minor))


@lru_cache(maxsize=256)
def _reply_versions(versions: bytes) -> bytes:
    """The first four octets of the reply to a request with these."""
    major, minor, octet, suggest_minor = versions
    answer = spoken(Version(major, minor), Version(octet & 3, suggest_minor))
    return bytes((answer.major, answer.minor, OWN.major, OWN.minor))
