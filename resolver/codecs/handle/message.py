"""A whole message: envelope, header, body, and a credential behind its 4-octet length.

Read leniently where peers are lax (the credential's length may be missing, the compressed flag
means nothing, any version is read) and strictly where lengths contradict each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from registry.errors import DecodeError
from registry.values.wire import string
from resolver.codecs.handle import envelope as envelopes
from resolver.codecs.handle import header as headers
from resolver.codecs.handle.envelope import Envelope, FramingError, decode_envelope
from resolver.codecs.handle.header import Header, decode_header, encode_header
from resolver.codecs.handle.versions import OWN, Version, spoken, suggested

_CREDENTIAL_LENGTH: Final = 4


@dataclass(frozen=True, slots=True)
class Message:
    """One request (`response_code` 0) or reply.

    `body` is what `bodies` takes apart, with the request digest still in front where RD is set;
    `credential` has no length in front; `envelope_flags` are the bits of octet 2 above the
    suggested major version; `expiration` is a Unix time.
    """

    op_code: int
    response_code: int = 0
    body: bytes = b""
    credential: bytes = b""
    op_flags: int = 0
    request_id: int = 0
    session_id: int = 0
    major: int = OWN.major
    minor: int = OWN.minor
    suggest_major: int = OWN.major
    suggest_minor: int = OWN.minor
    envelope_flags: int = 0
    sequence: int = 0
    site_serial: int = headers.NO_SERIAL
    recursion_count: int = 0
    reserved: int = 0
    expiration: int = 0

    @property
    def is_reply(self) -> bool:
        return self.response_code != 0

    @property
    def version(self) -> Version:
        return Version(self.major, self.minor)

    @property
    def suggested_version(self) -> Version:
        """The newest version its sender can read."""
        return suggested(self.version, Version(self.suggest_major, self.suggest_minor))

    @property
    def spoken_version(self) -> Version:
        """The version it is answered in."""
        return spoken(self.version, Version(self.suggest_major, self.suggest_minor))

    @property
    def header_and_body(self) -> bytes:
        """The octets that digests and signatures cover."""
        return encode_header(_header_of(self)) + self.body


def decode_message(data: bytes) -> Message:
    """A message that arrived whole (one datagram, or reassembled, or cut from a stream).

    Raises FramingError where nothing can be answered (too short, length unlike the size),
    DecodeError where envelope and header are fine and the rest is not, or where the message is
    encrypted.
    """
    envelope = whole_envelope(data)
    if envelope.encrypted:
        raise DecodeError("the message is encrypted", 2)
    return decode_payload(envelope, data, envelopes.SIZE)


def decode_payload(envelope: Envelope, data: bytes, start: int = 0) -> Message:
    """Header, body and credential, which begin at `start`: also for what a session has decrypted.

    Raises DecodeError.
    """
    body_start = start + headers.SIZE
    if len(data) < body_start:
        raise DecodeError(f"{len(data) - start} octets are too few for a header", start)
    header = decode_header(data, start)
    body_end = body_start + header.body_length
    if body_end > len(data):
        left = len(data) - body_start
        raise DecodeError(f"body: {header.body_length} octets announced, {left} left", start + 20)
    credential = _credential(data, body_end)
    return _joined(envelope, header, data[body_start:body_end], credential)


def peek_message(data: bytes) -> Message:
    """Envelope and header alone, for the reply to a message whose rest cannot be read.

    The body is empty and RD and CT are clear: there is nothing to digest. Raises FramingError.
    """
    envelope = whole_envelope(data)
    header = decode_header(data, envelopes.SIZE)
    flags = header.op_flags & ~(headers.RD | headers.CT)
    return _joined(envelope, header._replace(op_flags=flags), b"", b"")


def encode_message(message: Message) -> bytes:
    """The octets of a message in one piece."""
    return seal(message, encode_payload(message))


def encode_payload(message: Message) -> bytes:
    """Header, body and credential: what a session encrypts."""
    return message.header_and_body + string(message.credential)


def seal(message: Message, payload: bytes, envelope_flags: int = 0) -> bytes:
    """A payload behind the message's envelope; `envelope_flags` are set besides its own."""
    envelope = Envelope(
        message.major,
        message.minor,
        message.envelope_flags | envelope_flags,
        message.suggest_major,
        message.suggest_minor,
        message.session_id,
        message.request_id,
        message.sequence,
        len(payload),
    )
    return envelopes.encode_envelope(envelope) + payload


def whole_envelope(data: bytes) -> Envelope:
    """The envelope of a message that arrived whole. Raises FramingError."""
    envelope = decode_envelope(data)
    size = len(data) - envelopes.SIZE
    if envelope.length != size:
        raise FramingError(f"{envelope.length} octets announced, {size} came", 16)
    return envelope


def _credential(data: bytes, start: int) -> bytes:
    """The credential behind the body; peers may leave even its length out."""
    if start == len(data):
        return b""
    end = start + _CREDENTIAL_LENGTH
    length = int.from_bytes(data[start:end], "big")
    if end + length != len(data):
        raise DecodeError(f"credential: {length} octets announced, {len(data) - end} left", start)
    return data[end:]


def _header_of(message: Message) -> Header:
    return Header(
        message.op_code,
        message.response_code,
        message.op_flags,
        message.site_serial,
        message.recursion_count,
        message.reserved,
        message.expiration,
        len(message.body),
    )


def _joined(envelope: Envelope, header: Header, body: bytes, credential: bytes) -> Message:
    return Message(
        op_code=header.op_code,
        response_code=header.response_code,
        body=body,
        credential=credential,
        op_flags=header.op_flags,
        request_id=envelope.request_id,
        session_id=envelope.session_id,
        major=envelope.major,
        minor=envelope.minor,
        suggest_major=envelope.suggest_major,
        suggest_minor=envelope.suggest_minor,
        envelope_flags=envelope.flags,
        sequence=envelope.sequence,
        site_serial=header.site_serial,
        recursion_count=header.recursion_count,
        reserved=header.reserved,
        expiration=header.expiration,
    )
