"""The server's side of a resolution (RFC 3652 section 3.2): the query asked for, and its reply."""

from __future__ import annotations

from typing import NamedTuple

from registry import outcomes
from registry.errors import InvalidIdentifier
from registry.schemes.handle import DEFAULT_RULES, PREFIX_RECORDS, HandleRules, Key, parse
from resolver.codecs.handle.bodies.resolution import (
    Referral as ReferralBody,
)
from resolver.codecs.handle.bodies.resolution import (
    ResolveReply,
    decode_resolve_request,
    encode_error,
    encode_referral,
    encode_resolve_reply,
)
from resolver.codecs.handle.header import AT, DO_NOT_REFER, PO
from resolver.codecs.handle.message import Message
from resolver.codecs.handle.versions import PREFIX_REFERRAL_SINCE, Version, at_least
from resolver.query import Answer, Query, Referral, Refused, Values


class Answered(NamedTuple):
    """What a reply says: response code, body without a digest, flags besides the echoed ones."""

    code: int
    body: bytes
    flags: int = AT


def query_about(
    key: Key,
    handle: bytes,
    indexes: tuple[int, ...],
    types: tuple[bytes, ...],
    op_flags: int,
    suggested: Version,
) -> Query:
    """The query in the parts of a request, whose handle has this key."""
    return Query(
        handle,
        key,
        indexes,
        types,
        op_flags & PO != 0,
        op_flags & DO_NOT_REFER != 0,
        at_least(suggested, PREFIX_REFERRAL_SINCE),
        op_flags & AT != 0,
    )


def decode_query(request: Message, rules: HandleRules = DEFAULT_RULES) -> Query | Refused:
    """The query in a resolution request, or the refusal of what is no identifier.

    Raises DecodeError.
    """
    handle, indexes, types = decode_resolve_request(request.body)
    try:
        key = parse(handle, rules)
    except InvalidIdentifier as error:
        return Refused(error.outcome, str(error))
    return query_about(key, handle, indexes, types, request.op_flags, request.suggested_version)


def encode_answer(asked: bytes, answer: Answer) -> Answered:
    """What the reply says; `asked` is the handle as the client wrote it."""
    if isinstance(answer, Refused):
        return Answered(answer.outcome.handle, encode_error(answer.detail))
    if isinstance(answer, Values):
        body = encode_resolve_reply(ResolveReply(asked, answer.record))
        return Answered(outcomes.OK.handle, body, AT if answer.authoritative else 0)
    return Answered(answer.outcome.handle, encode_referral(_referral(answer)))


def _referral(referral: Referral) -> ReferralBody:
    """A prefix referral names no handle; a service referral names the record its sites are from."""
    if referral.outcome is outcomes.PREFIX_REFERRAL:
        return ReferralBody(b"", referral.record)
    return ReferralBody(f"{PREFIX_RECORDS}/{referral.prefix}".encode(), referral.record)
