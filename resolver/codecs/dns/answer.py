"""From the protocol-neutral answer to a DNS reply: data, referral, or which kind of nothing.

A name that exists without the type asked is NODATA, one that does not is NXDOMAIN; both carry the
SOA that says how long this holds (RFC 2308). Any other outcome is its rcode with an extended error.
"""

from __future__ import annotations

from typing import Final

from registry import outcomes
from registry.prefixes.tree import TOP
from registry.schemes.dns_name import Place, PlaceKind, zone_prefix
from registry.schemes.handle import Key, parent
from resolver.codecs.dns import rdata
from resolver.codecs.dns.reply import (
    ANY,
    DS,
    HEADER_SIZE,
    HINFO,
    NONE,
    SOA,
    TXT,
    ExtendedError,
    Question,
    Sections,
    TooLarge,
    assemble,
    pointer,
    record,
    records,
    too_large,
)
from resolver.codecs.dns.txt_form import txt_records
from resolver.codecs.dns.zone import ZoneView, servers_of
from resolver.codecs.dns.zone_records import (
    NEGATIVE_TTL,
    ZONE_TTL,
    name_server_record,
    of_place,
    whereabouts,
)
from resolver.query import Answer, Referral, Refused, Values

_OUTSIDE: Final = Refused(outcomes.NOT_RESPONSIBLE, "Not in a zone of this node")


def encode_reply(
    question: Question,
    target: Key | Place | None,
    answer: Answer | None,
    view: ZoneView,
    max_size: int,
) -> bytes:
    """The reply to a question about `target` (from `zone.locate`).

    `answer` is what resolving `zone.lookup_key` gave, None where that names nothing to resolve; its
    TTL is what goes out. `max_size` is `question.udp_limit`, or `reply.TCP_LIMIT`.
    """
    try:
        sections = _sections(question, target, answer, view)
    except TooLarge:
        return too_large(question, view.recursion, max_size)
    return assemble(question, sections, view.recursion, max_size)


def _sections(
    question: Question, target: Key | Place | None, answer: Answer | None, view: ZoneView
) -> Sections:
    if isinstance(answer, Values) and isinstance(target, Key):
        return _identifier(question, target, answer, view)
    if target is None:
        return _refused(question, "", _OUTSIDE, view)
    prefix = zone_prefix(target) if isinstance(target, Key) else target.prefix
    if isinstance(answer, Referral):
        return _referral(question, target, prefix, answer, view)
    if isinstance(answer, Refused):
        return _refused(question, prefix, answer, view)
    assert isinstance(target, Place), "an identifier is always resolved"
    return _place(question, target, answer, view)


def _identifier(question: Question, key: Key, answer: Values, view: ZoneView) -> Sections:
    """The values of an identifier as records of the type asked."""
    qtype = question.qtype
    found = NONE
    if qtype == TXT:
        found = txt_records(answer.record, answer.ttl)
    elif (form := rdata.OF_IDENTIFIER.get(qtype)) is not None:
        found = records(qtype, answer.ttl, form(answer.record))
    elif qtype == ANY:
        found = record(HINFO, answer.ttl, rdata.HINFO_RDATA)
    if found.number:
        return Sections(authoritative=answer.authoritative, answer=found)
    return _negative(question, zone_prefix(key), outcomes.NOERROR, answer.ttl, view)


def _place(question: Question, place: Place, answer: Values | None, view: ZoneView) -> Sections:
    """A name of the zone itself; `answer`, where there is one, is the record of its prefix."""
    known = answer is not None or view.has(place.prefix)
    if place.kind is PlaceKind.UNKNOWN or not known:
        return _negative(question, place.prefix, outcomes.NXDOMAIN, NEGATIVE_TTL, view)
    name = _name_of(question, place.prefix, view)
    if answer is not None:
        found = of_place(question, place.kind, name, servers_of(answer.record), answer.ttl)
    elif place.prefix in view.homed:
        found = of_place(question, place.kind, name, view.server, ZONE_TTL, view.serial())
    else:
        found = Sections()
    if not found.answer.number:
        return _negative(question, place.prefix, outcomes.NOERROR, NEGATIVE_TTL, view)
    return found._replace(authoritative=answer is None)


def _referral(
    question: Question, target: Key | Place, prefix: str, referral: Referral, view: ZoneView
) -> Sections:
    """The name servers of a delegated prefix, with their addresses."""
    cut = referral.prefix
    if not cut or not f"{prefix}.".startswith(f"{cut}."):
        return _refused(question, prefix, Refused(outcomes.UPSTREAM_BAD), view)
    if question.qtype == DS and target == Place(PlaceKind.APEX, cut):
        # The one type that the parent of a cut answers itself (RFC 4035 section 3.1.4.1).
        return _negative(question, parent(cut) or TOP, outcomes.NOERROR, NEGATIVE_TTL, view)
    name = _name_of(question, cut, view)
    server = servers_of(referral.record)
    return Sections(
        authority=name_server_record(name, name, referral.ttl),
        additional=whereabouts(question, name, server, referral.ttl),
    )


def _refused(question: Question, prefix: str, refused: Refused, view: ZoneView) -> Sections:
    rcode = refused.outcome.dns
    if rcode in (outcomes.NXDOMAIN, outcomes.NOERROR):
        return _negative(question, prefix, rcode, refused.ttl, view)
    error = None
    if refused.outcome.ede is not None:
        error = ExtendedError(refused.outcome.ede, refused.detail)
    return Sections(rcode, error=error)


def _negative(question: Question, prefix: str, rcode: int, ttl: int, view: ZoneView) -> Sections:
    """NXDOMAIN or NODATA with the SOA of the zone that names under `prefix` lie in."""
    apex = view.apex_of(prefix)
    if apex is None and not view.recursion:
        return _refused(question, prefix, _OUTSIDE, view)
    name = _name_of(question, apex or TOP, view)
    soa = rdata.soa(name, view.serial(), NEGATIVE_TTL)
    return Sections(
        rcode,
        authoritative=apex is not None,
        authority=record(SOA, min(ttl, NEGATIVE_TTL), soa, name),
    )


def _name_of(question: Question, prefix: str, view: ZoneView) -> bytes:
    """A pointer to the name of a prefix, which the name in the question ends with."""
    kept = len(view.zone) + (prefix.count(".") + 1 if prefix else 0)
    ahead = question.labels[: len(question.labels) - kept]
    return pointer(HEADER_SIZE + sum(map(len, ahead)) + len(ahead))
