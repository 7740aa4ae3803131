"""The credential behind a body: a server's signature (HS_SIGNED) or a session's MAC (HS_MAC).

RFC 3652 section 2.4: version 1, reserved 1, options 2, signer handle string, then a session counter
where the RFC has a session id, type string, and in one more string the hash name and the signature.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from registry.errors import DecodeError
from registry.values.wire import WireReader, string, u16, u32
from resolver.codecs.handle.message import Message
from resolver.codecs.handle.versions import Version, at_least

SIGNED: Final = b"HS_SIGNED"
MAC: Final = b"HS_MAC"

_COVERS_ENVELOPE_SINCE: Final = Version(2, 6)
_IDS_APART_SINCE: Final = Version(2, 7)
_COVERS_SUGGESTION_SINCE: Final = Version(2, 8)
_IDS: Final = struct.Struct(">III")


class Credential(NamedTuple):
    """A signature or MAC. `hash_name` is a word (`SHA-256`, `HMAC-SHA256`) or a code octet."""

    type: bytes
    hash_name: bytes
    signature: bytes
    counter: int = 0
    signer: bytes = b""
    options: int = 0
    version: int = 0
    reserved: int = 0


def encode_credential(credential: Credential) -> bytes:
    """The credential without its own length in front."""
    signed = string(credential.hash_name) + string(credential.signature)
    return (
        bytes([credential.version, credential.reserved])
        + u16(credential.options)
        + string(credential.signer)
        + u32(credential.counter)
        + string(credential.type)
        + string(signed)
    )


def decode_credential(data: bytes) -> Credential:
    """A credential as `Message.credential` holds it. Raises DecodeError."""
    reader = WireReader(data)
    version, reserved = reader.take(2, "credential")
    options = reader.u16("credential options")
    signer = reader.string("signer")
    counter = reader.u32("session counter")
    type_ = reader.string("credential type")
    size = reader.u32("signature information length")
    if size != reader.left:
        raise DecodeError(
            f"signature information: {size} octets announced, {reader.left} left", reader.offset
        )
    hash_name = reader.string("hash name")
    signature = reader.string("signature")
    reader.finish("credential")
    return Credential(type_, hash_name, signature, counter, signer, options, version, reserved)


def covered_octets(message: Message, counter: int) -> bytes:
    """What the signature or MAC of a message is made over, by the message's version.

    Up to 2.5 these are header and body; from 2.6 on versions, ids of the envelope and the counter
    come first. (MACs of 2.5 and 2.6 cover something else: see `protection`.)
    """
    version = message.version
    if not at_least(version, _COVERS_ENVELOPE_SINCE):
        return message.header_and_body
    versions = bytes((message.major, message.minor))
    if at_least(version, _COVERS_SUGGESTION_SINCE):
        versions += bytes((message.suggest_major, message.suggest_minor))
    return versions + _ids(message, counter) + message.header_and_body


def _ids(message: Message, counter: int) -> bytes:
    ids = _IDS.pack(message.session_id, message.request_id, counter)
    if at_least(message.version, _IDS_APART_SINCE):
        return ids
    # Peers of 2.6 write request id and counter both into the session id, two octets from its start.
    return ids[:2] + ids[8:] + bytes(6)
