"""Handle resolution: the request, and the reply that holds exactly the expected values.

Compared are op code, response code, and the whole body: handle and values in wire form. Flags,
serial and expiration differ rightly from server to server.
"""

from __future__ import annotations

import struct
from functools import partial
from typing import Final

from load_tests.requests.template import UNKNOWN, Kind, Part, Template, Verdict, Wire
from resolver.codecs.handle import envelope as envelopes
from resolver.codecs.handle.asking import RESOLVER_FLAGS
from resolver.codecs.handle.bodies.resolution import (
    ResolveReply,
    ResolveRequest,
    encode_resolve_reply,
    encode_resolve_request,
)
from resolver.codecs.handle.codes import OpCode, ResponseCode, response_name
from resolver.codecs.handle.fragments import CHUNK, MAX_DATAGRAM
from resolver.codecs.handle.header import AT
from resolver.codecs.handle.message import Message, encode_message

UDP: Final = Wire("handle-udp", id_at=8, id=struct.Struct(">I"), part_at=15)
TCP: Final = Wire("handle-tcp", id_at=8, id=struct.Struct(">I"))

_CODES: Final = slice(20, 28)
_RESPONSE_CODE: Final = slice(24, 28)
_EXPIRATION: Final = range(36, 40)
#: Requests are valid long beyond any run, so that one encoding serves.
_EXPIRATION_OF_REQUEST: Final = 0x7FFF_FFFF
#: Codes that deny that the identifier or its values exist.
_DENIALS: Final = {ResponseCode.HANDLE_NOT_FOUND, ResponseCode.VALUES_NOT_FOUND}


def resolution(
    handle: bytes,
    record: bytes,
    *,
    wire: Wire = UDP,
    indexes: tuple[int, ...] = (),
    types: tuple[bytes, ...] = (),
    op_flags: int = RESOLVER_FLAGS,
) -> Template:
    """Ask for a handle whose selected values, in wire form, are `record`.

    Raises ValueError where the request does not fit into a datagram.
    """
    asked = encode_resolve_request(ResolveRequest(handle, indexes, types))
    request = encode_message(
        Message(OpCode.RESOLVE, body=asked, op_flags=op_flags, expiration=_EXPIRATION_OF_REQUEST)
    )
    if wire is UDP and len(request) > MAX_DATAGRAM:
        raise ValueError(f"a request of {len(request)} octets does not fit into a datagram")
    body = encode_resolve_reply(ResolveReply(handle, record))
    reply = encode_message(
        Message(OpCode.RESOLVE, ResponseCode.SUCCESS, body=body, op_flags=op_flags | AT)
    )
    parts = _parts(reply) if wire is UDP else [_part(reply)]
    return Template(request, parts, partial(_judge, wire))


def denied(handle: bytes, *, wire: Wire = UDP, op_flags: int = RESOLVER_FLAGS) -> Template:
    """Ask for a handle that does not exist."""
    asked = encode_resolve_request(ResolveRequest(handle))
    request = Message(
        OpCode.RESOLVE, body=asked, op_flags=op_flags, expiration=_EXPIRATION_OF_REQUEST
    )
    return Template(encode_message(request), [UNKNOWN], _judge_denial)


def _parts(reply: bytes) -> list[Part]:
    """The packets of a reply; behind the first one they hold nothing but body."""
    if len(reply) <= MAX_DATAGRAM:
        return [_part(reply)]
    first, *others = range(envelopes.SIZE, len(reply), CHUNK)
    return [
        _part(reply[: first + CHUNK]),
        *(
            Part(len(chunk) + envelopes.SIZE, ((envelopes.SIZE, chunk),))
            for chunk in (reply[start : start + CHUNK] for start in others)
        ),
    ]


def _part(reply: bytes) -> Part:
    return Part(
        len(reply),
        ((_CODES.start, reply[_CODES]), (_EXPIRATION.stop, reply[_EXPIRATION.stop :])),
    )


def _judge(wire: Wire, number: int, packet: bytes) -> Verdict:
    if number:
        return Verdict(Kind.WRONG, f"packet {number} of the reply is not as expected")
    if len(packet) < _RESPONSE_CODE.stop:
        return Verdict(Kind.WRONG, "too short for a reply")
    code = int.from_bytes(packet[_RESPONSE_CODE], "big")
    if code == ResponseCode.SUCCESS:
        return Verdict(Kind.WRONG, "the values are not the expected ones")
    if code in _DENIALS:
        return Verdict(Kind.WRONG, f"denied what exists: {response_name(code)}")
    return Verdict(Kind.REFUSED, f"response code {code} ({response_name(code)})")


def _judge_denial(number: int, packet: bytes) -> Verdict:
    code = int.from_bytes(packet[_RESPONSE_CODE], "big")
    if code == ResponseCode.HANDLE_NOT_FOUND:
        return Verdict(Kind.RIGHT)
    if code == ResponseCode.SUCCESS:
        return Verdict(Kind.WRONG, "values of what does not exist")
    return Verdict(Kind.REFUSED, f"response code {code} ({response_name(code)})")
