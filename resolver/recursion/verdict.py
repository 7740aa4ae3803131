"""What a reply is worth: the answer, a referral to follow, or a reason to ask another."""

from __future__ import annotations

from registry import outcomes
from registry.errors import DecodeError
from resolver.cache.answers import DENIALS
from resolver.query import Answer, Referral, Refused, Values
from resolver.recursion.bailiwick import ROOT, leads_back, may_refer, next_below
from resolver.recursion.events import Event, NoReply
from resolver.recursion.referral import read_whereabouts
from resolver.recursion.targets import Fault


def judge(event: Event, zone: str, subject: str) -> Answer | Fault:
    """What a reply of a server of `zone` is worth to a question about `subject`."""
    if isinstance(event, NoReply):
        return event.fault
    answer = event.answer
    match answer:
        case Values():
            return answer
        case Refused(outcome=outcome) if outcome in DENIALS:
            return answer
        case Refused(outcome=outcomes.NOT_RESPONSIBLE) if zone == ROOT:
            # The root answers for everything: what it has not delegated does not exist.
            return Refused(outcomes.NOT_FOUND, "the prefix is not delegated")
        case Referral():
            return _judge_referral(answer, zone, subject)
        case _:
            return Fault.UNUSABLE


def _judge_referral(referral: Referral, zone: str, subject: str) -> Referral | Fault:
    if referral.outcome is outcomes.PREFIX_REFERRAL and not referral.prefix:
        inside = next_below(zone, subject) is not None
    else:
        inside = bool(referral.prefix) and may_refer(zone, referral.prefix, subject)
    if not inside:
        return Fault.CIRCLE if leads_back(zone, referral.prefix) else Fault.UNUSABLE
    try:
        useful = read_whereabouts(referral.record).known or _names_only(referral)
    except DecodeError:
        return Fault.UNUSABLE
    return referral if useful else Fault.UNUSABLE


def _names_only(referral: Referral) -> bool:
    """A referral may name a prefix and leave its sites to be looked up (RFC 3652 section 3.4)."""
    return bool(referral.prefix) and referral.record in (b"", b"\0\0\0\0")
