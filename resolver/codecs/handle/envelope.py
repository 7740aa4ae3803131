"""The message envelope (RFC 3652 section 2.1): 20 octets in front of every packet.

major 1, minor 1, flags and suggested major 1, suggested minor 1, session id 4, request id 4,
sequence number 4, message length 4 (everything behind the envelope, over all packets).
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from registry import outcomes
from registry.errors import DecodeError
from resolver.codecs.handle.versions import Version

SIZE: Final = 20
#: Most octets behind the envelope; what peers accept.
MAX_LENGTH: Final = 262_144
#: Least octets behind the envelope: a header.
MIN_LENGTH: Final = 24

COMPRESSED, ENCRYPTED, TRUNCATED = 0x80, 0x40, 0x20
_SUGGESTED_MAJOR: Final = 0x03
_LAYOUT: Final = struct.Struct(">BBBBIIII")
#: The length alone.
LENGTH: Final = struct.Struct(">16xI")


class FramingError(DecodeError):
    """The octets are no message at all: over UDP they are dropped, a TCP connection is closed.

    `head` is what there is of the envelope, where its request id can be told from it.
    """

    head: bytes = b""

    @property
    def request_id(self) -> int | None:
        """The id of the request that cannot be read, None if it did not come that far."""
        head = self.head
        return int.from_bytes(head[8:12], "big") if len(head) >= SIZE else None


class OversizeError(FramingError):
    """The announced length is over the limit."""

    outcome = outcomes.TOO_LARGE


class Envelope(NamedTuple):
    """The fields of an envelope; `flags` is octet 2 without the suggested major version."""

    major: int
    minor: int
    flags: int
    suggest_major: int
    suggest_minor: int
    session_id: int
    request_id: int
    sequence: int
    length: int

    @property
    def version(self) -> Version:
        return Version(self.major, self.minor)

    @property
    def encrypted(self) -> bool:
        return bool(self.flags & ENCRYPTED)

    @property
    def truncated(self) -> bool:
        """Whether the packet is one of several."""
        return bool(self.flags & TRUNCATED)


def decode_envelope(data: bytes) -> Envelope:
    """The first 20 octets; only the length is judged. Raises FramingError."""
    if len(data) < SIZE:
        raise FramingError(f"{len(data)} octets are too few for an envelope", len(data))
    major, minor, octet, suggest_minor, session, request, sequence, length = _LAYOUT.unpack_from(
        data
    )
    if length > MAX_LENGTH:
        raise OversizeError(f"{length} octets announced, at most {MAX_LENGTH} are read", 16)
    if length < MIN_LENGTH:
        raise FramingError(f"{length} octets announced, a header has {MIN_LENGTH}", 16)
    return Envelope(
        major,
        minor,
        octet & ~_SUGGESTED_MAJOR,
        octet & _SUGGESTED_MAJOR,
        suggest_minor,
        session,
        request,
        sequence,
        length,
    )


def encode_envelope(envelope: Envelope) -> bytes:
    """The 20 octets."""
    major, minor, flags, suggest_major, *rest = envelope
    return _LAYOUT.pack(major, minor, flags | suggest_major, *rest)
