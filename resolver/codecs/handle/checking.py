"""What a client holds a reply against: request id, operation, digest of the request, signature.

reply_body(reply, request_id, op_code) -> bytes                  raises DecodeError
check_digest(request, reply)                                     raises DecodeError
check_signature(reply, key)                                      raises DecodeError
outcome_of(response_code) -> Outcome
"""

from __future__ import annotations

from typing import Final

from registry import outcomes
from registry.errors import DecodeError
from registry.outcomes import OUTCOMES, Outcome
from registry.values.key_objects import PublicKeyObject
from resolver.codecs.handle.bodies.digest import digest_with, split_digest
from resolver.codecs.handle.header import RD
from resolver.codecs.handle.message import Message
from resolver.codecs.handle.signing import verify_message

#: Response code to outcome; where several outcomes share a code, the most general one.
_OUTCOMES: Final[dict[int, Outcome]] = {one.handle: one for one in reversed(OUTCOMES.values())}


class NotTheReply(DecodeError):  # noqa: N818 - no error of ours: the message is for somebody else
    """A message that does not belong to the question."""


def reply_body(reply: Message, request_id: int, op_code: int) -> bytes:
    """The body of the reply to a request, behind the request digest if there is one.

    Raises NotTheReply for any other message, DecodeError for a digest that cannot be read.
    """
    if (reply.request_id, reply.op_code) != (request_id, op_code) or not reply.is_reply:
        raise NotTheReply("the message is not the reply to this request")
    return split_digest(reply.body, reply.version)[1] if reply.op_flags & RD else reply.body


def check_digest(request: Message, reply: Message) -> None:
    """Raise DecodeError unless the reply has the digest of the very request that was sent."""
    if not reply.op_flags & RD:
        raise DecodeError("the reply does not repeat the digest of the request")
    digest, _ = split_digest(reply.body, reply.version)
    if digest_with(digest.algorithm, request.header_and_body) != digest:
        raise DecodeError("the reply is to another request than was sent")


def check_signature(reply: Message, key: PublicKeyObject) -> None:
    """Raise DecodeError unless the owner of the key signed the reply."""
    if not verify_message(reply, key):
        raise DecodeError("the reply is not signed with the key of its server")


def outcome_of(response_code: int) -> Outcome:
    """What a response code means; INTERNAL for one that is not known."""
    return _OUTCOMES.get(response_code, outcomes.INTERNAL)
