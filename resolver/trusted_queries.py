"""Trusted queries of CAICT's clients: whether all values shown are as their signers left them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from registry.trust.verification import Report
from registry.values.value import scan
from resolver.query import Answer, Query, Values
from resolver.verification import Verifier


class TrustedQueries:
    """`look_up` resolves a query as the node does for anybody; `verifier` checks what it finds."""

    def __init__(self, look_up: Callable[[Query], Awaitable[Answer]], verifier: Verifier) -> None:
        self._look_up = look_up
        self._verifier = verifier

    async def vouch(self, query: Query, answer: Values) -> bool:
        """Whether every value of the answer to a query is verified, and its record is complete.

        Signatures speak of whole records, so the whole public one is looked up and verified.
        """
        everything = query._replace(indexes=(), types=(), public_only=True, fresh=False)
        whole = await self._look_up(everything)
        if not isinstance(whole, Values):
            return False
        report = await self._verifier.verify(query.key, whole.record)
        return vouched(report, whole.record, answer.record)


def vouched(report: Report, whole: bytes, shown: bytes) -> bool:
    """Whether a report on a record vouches for the values that are shown of it.

    A signature is shown with a good conscience if it is believed; at least one other value must be
    shown, and none may be missing from the record.
    """
    values = report.values
    verified = _values(whole, {*values.verified} - {*values.bad})
    believed = _values(whole, {one.index for one in report.signatures if one.trusted})
    pieces = _values(shown)
    return not values.missing and bool(pieces & verified) and pieces <= verified | believed


def _values(record: bytes, indexes: set[int] | None = None) -> set[bytes]:
    """The values of a record in wire form, all or those at some indexes."""
    return {
        record[span.start : span.end]
        for span in scan(record)
        if indexes is None or span.index in indexes
    }
