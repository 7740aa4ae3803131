"""The client's side of a resolution (RFC 3652 section 3.2): the question, and what its reply says.

A reply is the one to a question if request id and op code are the same, it is marked as a reply
and, where it holds values, repeats the handle. All else is somebody else's, or forged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from registry import outcomes
from registry.errors import DecodeError, InvalidIdentifier
from registry.outcomes import Outcome
from registry.schemes.handle import parse
from registry.values.key_objects import PublicKeyObject
from registry.values.shape import smallest_ttl
from resolver.codecs.handle.bodies.resolution import (
    ResolveRequest,
    decode_error,
    decode_referral,
    decode_resolve_reply,
    encode_resolve_request,
)
from resolver.codecs.handle.checking import (
    NotTheReply,
    check_digest,
    check_signature,
    outcome_of,
    reply_body,
)
from resolver.codecs.handle.codes import OpCode, ResponseCode
from resolver.codecs.handle.header import AT, CA, CT, PO, RD, REC
from resolver.codecs.handle.message import Message, decode_message, encode_message
from resolver.codecs.handle.reply import expiration
from resolver.query import Answer, Referral, Refused, Values

#: What a resolver asks with.
RESOLVER_FLAGS: Final = REC | CA | PO
#: Asks for a reply that is signed, and bound to the request.
CERTIFIED_FLAGS: Final = CT | RD
#: Asks for a reply from where the identifier is at home, not from a cache.
FRESH_FLAG: Final = AT
_REFERRALS: Final[dict[int, Outcome]] = {
    ResponseCode.SERVICE_REFERRAL: outcomes.SERVICE_REFERRAL,
    ResponseCode.PREFIX_REFERRAL: outcomes.PREFIX_REFERRAL,
}


@dataclass(frozen=True, slots=True)
class Question:
    """One resolution request: the handle as it is to be written, the union of what is wanted."""

    handle: bytes
    request_id: int
    indexes: tuple[int, ...] = ()
    types: tuple[bytes, ...] = ()
    op_flags: int = RESOLVER_FLAGS

    def encode(self, now: float, extra_flags: int = 0) -> bytes:
        """The request as one message; `now` is Unix time."""
        return encode_message(self.message(now, extra_flags))

    def message(self, now: float, extra_flags: int = 0) -> Message:
        """The request; `now` is Unix time."""
        return Message(
            OpCode.RESOLVE,
            body=encode_resolve_request(ResolveRequest(self.handle, self.indexes, self.types)),
            op_flags=self.op_flags | extra_flags,
            request_id=self.request_id,
            expiration=expiration(now),
        )

    def read(self, data: bytes, now: float) -> Answer:
        """The answer in a whole message; times to live count from `now` (Unix time).

        Raises NotTheReply for somebody else's message, DecodeError for one that cannot be read.
        """
        return self._read(decode_message(data), now)

    def read_certified(
        self, data: bytes, now: float, sent: Message, key: PublicKeyObject
    ) -> Answer:
        """The same, of a reply that must be signed with `key` and be to the very request `sent`."""
        reply = decode_message(data)
        answer = self._read(reply, now)
        check_digest(sent, reply)
        check_signature(reply, key)
        return answer

    def _read(self, reply: Message, now: float) -> Answer:
        body = reply_body(reply, self.request_id, OpCode.RESOLVE)
        if reply.response_code == ResponseCode.SUCCESS:
            return self._values(body, now)
        if reply.response_code in _REFERRALS:
            return _referral(_REFERRALS[reply.response_code], body, now)
        return _refusal(reply.response_code, body)

    def _values(self, body: bytes, now: float) -> Values:
        handle, record = decode_resolve_reply(body)
        if handle.upper() != self.handle.upper():
            raise NotTheReply("the reply is about another handle")
        return Values(record, smallest_ttl(record, now), authoritative=False)


def _referral(outcome: Outcome, body: bytes, now: float) -> Referral:
    handle, record = decode_referral(body)
    return Referral(
        outcome, _referred_prefix(handle), record or b"", smallest_ttl(record, now) if record else 0
    )


def _referred_prefix(handle: bytes) -> str:
    """The prefix whose record a referral names, empty if it names none."""
    if not handle:
        return ""
    try:
        key = parse(handle)
    except InvalidIdentifier as error:
        raise DecodeError(f"referral handle: {error.message}") from None
    if not key.is_prefix_record:
        raise DecodeError("the referral names a handle that is no prefix record")
    return key.suffix


def _refusal(response_code: int, body: bytes) -> Refused:
    if response_code == ResponseCode.AUTHENTICATION_NEEDED:
        return Refused(outcomes.AUTHENTICATION_NEEDED)  # the body is a challenge, not a text
    return Refused(outcome_of(response_code), decode_error(body))
