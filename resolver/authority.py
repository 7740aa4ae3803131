"""Sources one and two of an answer: values of homed prefixes, and referrals to child prefixes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from registry import outcomes
from registry.namespaces.template import NotComputable
from registry.outcomes import Outcome
from registry.prefixes.tree import Delegation, PrefixTree
from registry.registration.lifecycle import State
from registry.schemes.handle import PREFIX_RECORDS, Key
from registry.values.shape import smallest_ttl
from resolver.computed import ComputedRecords, Records
from resolver.query import Answer, Query, Referral, Refused
from resolver.selection import NEGATIVE_TTL, select

#: What the reference server says, word for word: clients show it.
NOT_HERE = "That prefix doesn't live here"
TOO_OLD = "The prefix is delegated, and clients before protocol 2.10 cannot follow prefix referrals"
#: Registered, but not for resolution. What is reserved does not exist to others.
_KEPT_OUT: Final[dict[int, Outcome]] = {
    State.RESERVED: outcomes.NOT_FOUND,
    State.ON_HOLD: outcomes.ON_HOLD,
    State.REVOKED: outcomes.GONE,
}


class Authority:
    """Answers for what a node homes or delegates; None for what it knows nothing of."""

    def __init__(
        self, tree: PrefixTree, records: Records, computed: ComputedRecords | None = None
    ) -> None:
        self._tree = tree
        self._records = records
        self._computed = computed or ComputedRecords(tree, records)

    def answer(self, query: Query, now: float) -> Answer | None:
        """The node's own answer, None if the prefix is unknown here."""
        key = query.key
        if self._tree.homes(key):
            record = self.record(query, now)
            return select(record, query, now) if isinstance(record, bytes) else record
        if key.prefix == PREFIX_RECORDS:
            return self._prefix_referral(query, self._tree.derived_for(key.suffix), now)
        return self._service_referral(query, now)

    def record(self, query: Query, now: float) -> bytes | Answer:
        """All values of a homed identifier, registered or computed; else why there are none."""
        record = self._records.record(*query.key)
        return self._absent(query, now) if record is None else record

    def stored(self, keys: Sequence[Key]) -> list[bytes | None]:
        """All values of those that are homed and registered; None says nothing of the others."""
        homes, record = self._tree.homes, self._records.record
        return [record(*key) if homes(key) else None for key in keys]

    def subject(self, key: Key) -> Key:
        """The registered identifier on which the answer about `key` depends."""
        return self._computed.subject(key)

    def _absent(self, query: Query, now: float) -> bytes | Answer:
        """A homed identifier that is not there: it may be computed, or be further down."""
        if query.key.prefix == PREFIX_RECORDS:
            referral = self._prefix_referral(query, self._tree.derived_for(query.key.suffix), now)
            return referral or Refused(outcomes.NOT_FOUND, ttl=NEGATIVE_TTL)
        row = self._records.row(*query.key)
        if row is not None and row.state in _KEPT_OUT:
            # Nothing is computed in the place of what was taken out of resolution.
            return Refused(_KEPT_OUT[row.state], ttl=NEGATIVE_TTL)
        try:
            record = self._computed.record(query)
        except NotComputable as reason:
            return Refused(outcomes.INTERNAL, str(reason))
        return Refused(outcomes.NOT_FOUND, ttl=NEGATIVE_TTL) if record is None else record

    def _prefix_referral(self, query: Query, found: Delegation | None, now: float) -> Answer | None:
        if found is None or found.derived is None:
            return None
        if query.do_not_refer:
            return Refused(outcomes.NOT_FOUND, ttl=NEGATIVE_TTL)
        if not query.refer_prefix:
            return Refused(outcomes.INTERNAL, TOO_OLD)
        return Referral(
            outcomes.PREFIX_REFERRAL, found.prefix, found.derived, smallest_ttl(found.derived, now)
        )

    def _service_referral(self, query: Query, now: float) -> Answer | None:
        prefix = query.key.prefix
        found = self._tree.service_for(prefix)
        if found is None or found.service is None:
            if self._tree.denies(prefix):
                return Refused(outcomes.NOT_FOUND, ttl=NEGATIVE_TTL)
            return None
        if query.do_not_refer:
            return Refused(outcomes.NOT_RESPONSIBLE, NOT_HERE, responsible=found.prefix)
        return Referral(
            outcomes.SERVICE_REFERRAL, found.prefix, found.service, smallest_ttl(found.service, now)
        )
