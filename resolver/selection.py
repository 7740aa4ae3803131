"""Choosing the values that a query wants and its sender may see (RFC 3652 section 3.2)."""

from __future__ import annotations

from registry import outcomes
from registry.values.shape import smallest_ttl, survey
from registry.values.value import (
    ADMIN_READ,
    PUBLIC_READ,
    join_spans,
    scan,
    selected,
)
from resolver.query import Query, Refused, Values

#: Seconds that a negative answer may be kept.
NEGATIVE_TTL = 5
#: Octets of a record without values.
_EMPTY = 4


def is_public(record: bytes) -> bool:
    """Whether a stored record has values, and anybody may read each of them."""
    return survey(record, 0.0).permissions & PUBLIC_READ != 0 and len(record) > _EMPTY


def select(record: bytes, query: Query, now: float) -> Values | Refused:
    """The values of a stored record that `query` selects, as a record again.

    Indexes and types are a union. With `public_only`, values without public read are left out;
    otherwise one of them makes the answer "authentication needed" (or "not permitted" where not
    even an administrator may read it). Nothing left is "values not found".
    """
    if not query.indexes and not query.types and is_public(record):
        # Nearly always all is wanted and public: then nothing has to be cut out and put together.
        return Values(record, smallest_ttl(record, now))
    wanted = [span for span in scan(record) if selected(span, query.indexes, query.types)]
    public = [span for span in wanted if span.permissions & PUBLIC_READ]
    if len(public) != len(wanted) and not query.public_only:
        if any(not span.permissions & (PUBLIC_READ | ADMIN_READ) for span in wanted):
            return Refused(outcomes.NOT_PERMITTED)
        return Refused(outcomes.AUTHENTICATION_NEEDED)
    if not public:
        return Refused(outcomes.VALUES_NOT_FOUND, ttl=NEGATIVE_TTL)
    chosen = join_spans(record, public)
    return Values(chosen, smallest_ttl(chosen, now))


def select_restricted(record: bytes, query: Query, now: float) -> Values | Refused:
    """As `select`, for an administrator who may read what is not public."""
    wanted = [span for span in scan(record) if selected(span, query.indexes, query.types)]
    if not wanted:
        return Refused(outcomes.VALUES_NOT_FOUND, ttl=NEGATIVE_TTL)
    if any(not span.permissions & (PUBLIC_READ | ADMIN_READ) for span in wanted):
        return Refused(outcomes.NOT_PERMITTED)
    chosen = join_spans(record, wanted)
    return Values(chosen, smallest_ttl(chosen, now))
