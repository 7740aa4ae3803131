"""The message that answers a request: which version, flags, digest and times go out with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from resolver.codecs.handle.bodies.digest import digest_request, encode_digest, split_digest
from resolver.codecs.handle.bodies.resolution import decode_error, encode_error
from resolver.codecs.handle.codes import ResponseCode
from resolver.codecs.handle.envelope import COMPRESSED
from resolver.codecs.handle.header import AT, CA, CT, DO_NOT_REFER, PO, RD, REC
from resolver.codecs.handle.idis import code_otherwise, speaks_idis
from resolver.codecs.handle.message import Message, decode_message, encode_message, seal
from resolver.codecs.handle.versions import NEW_CODES_SINCE, OLDEST, OWN, Version, at_least

#: Seconds a reply says it is good for. Peers throw away what has expired, 0 included.
LIFETIME: Final = 12 * 3600
#: The request id of a reply to what could not be read that far.
NO_REQUEST: Final = 0xFFFFFFFF
#: What a datagram is refused with that is no sound request.
OF_JUNK: Final = frozenset(
    {
        ResponseCode.PROTOCOL_ERROR,
        ResponseCode.OPERATION_NOT_SUPPORTED,
        ResponseCode.INVALID_HANDLE,
    }
)
_CODE: Final = slice(24, 28)
#: The flags of a request that its reply repeats.
ECHOED: Final = CT | CA | PO | RD | DO_NOT_REFER
#: Codes that mean something else, or nothing, to peers before 2.5.
_OLD_CODES: Final[dict[int, int]] = {
    ResponseCode.INVALID_VALUE: ResponseCode.VALUE_EXISTS,
    ResponseCode.SERVER_BACKUP: 303,
}


def reply_to(
    request: Message,
    response_code: int,
    body: bytes = b"",
    *,
    serial: int,
    now: float,
    flags: int = AT,
    session_id: int | None = None,
    op_code: int | None = None,
    idis: bool = False,
) -> Message:
    """The reply to a request, without a credential.

    `body` is without the request digest, which is added where the request asks for it (RD) and to
    every challenge. `serial` is the answering site's; `flags` are set besides the echoed ones and
    REC (AT unless the answer comes from a cache, CN while more follow). `session_id` replaces the
    request's, `op_code` too: an answered challenge is replied to as the request it was for. `idis`
    says that the peer has logged in as CAICT's clients do, and knows their codes.
    """
    version = request.spoken_version
    echoed = request.op_flags & ECHOED
    if response_code == ResponseCode.AUTHENTICATION_NEEDED:
        echoed |= RD
    if echoed & RD:
        body = encode_digest(digest_request(request.header_and_body, version)) + body
    return Message(
        op_code=request.op_code if op_code is None else op_code,
        response_code=code_for(response_code, version, idis or speaks_idis(request)),
        body=body,
        op_flags=echoed | REC | flags,
        request_id=request.request_id,
        session_id=request.session_id if session_id is None else session_id,
        major=version.major,
        minor=version.minor,
        suggest_major=OWN.major,
        suggest_minor=OWN.minor,
        envelope_flags=request.envelope_flags & COMPRESSED,
        site_serial=serial,
        recursion_count=request.recursion_count,
        expiration=expiration(now),
    )


def error_to(
    request: Message,
    response_code: int,
    text: str = "",
    *,
    serial: int,
    now: float,
    flags: int = AT,
) -> Message:
    """A reply that is a refusal with a text."""
    return reply_to(request, response_code, encode_error(text), serial=serial, now=now, flags=flags)


def stream_refused(text: str, *, now: float, request_id: int | None = None) -> Message:
    """The last words on a stream that cannot be cut into messages any further.

    No request is there to be repeated: op code 0, the highest request id unless the envelope told
    it, no site serial, and a version that every peer can read.
    """
    return Message(
        op_code=0,
        response_code=ResponseCode.PROTOCOL_ERROR,
        body=encode_error(text),
        op_flags=REC | CA | PO,
        request_id=NO_REQUEST if request_id is None else request_id,
        major=OLDEST.major,
        minor=OLDEST.minor,
        expiration=expiration(now),
    )


def fitted(reply: bytes, size: int) -> bytes:
    """A reply to `size` octets from an address that may be forged.

    A refusal of what is no sound request is no longer than that: its text is cut, or it is its
    header alone. It is then neither signed nor begins with a digest.
    """
    if len(reply) <= size or int.from_bytes(reply[_CODE], "big") not in OF_JUNK:
        return reply
    refusal = decode_message(reply)
    body = refusal.body
    if refusal.op_flags & RD:
        body = split_digest(body, refusal.version)[1]
    plain = replace(refusal, op_flags=refusal.op_flags & ~(RD | CT), credential=b"")
    room = size - len(encode_message(replace(plain, body=encode_error(""))))
    if room < 0:
        bare = replace(plain, body=b"")
        return seal(bare, bare.header_and_body)
    text = decode_error(body).encode()[:room].decode(errors="ignore")
    return encode_message(replace(plain, body=encode_error(text)))


def expiration(now: float) -> int:
    """The expiration of a reply made at `now` (Unix seconds)."""
    return (int(now) + LIFETIME) & 0xFFFFFFFF


def code_for(response_code: int, version: Version, idis: bool = False) -> int:
    """A response code as a peer of this version knows it; `idis` for CAICT's clients."""
    if not idis:
        response_code = code_otherwise(response_code)
    if at_least(version, NEW_CODES_SINCE):
        return response_code
    return _OLD_CODES.get(response_code, response_code)
