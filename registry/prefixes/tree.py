"""What a node is responsible for: prefixes it homes, and prefixes it delegates to other nodes.

Every question costs one dictionary look-up a segment, however many prefixes there are. The
delegations are a view of the node's own prefix records (`0.NA/P`) that hold site or service values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from registry.schemes.handle import PREFIX_RECORDS, Key, ancestors, parent
from registry.values.value import join_spans, scan

#: Stands for "every top-level prefix": the root homes it, and so can say that one does not exist.
TOP: Final = ""

#: RFC 3651 sections 3.2.2 and 3.2.4: who serves the identifiers under a prefix …
SERVICE_TYPES: Final = frozenset({b"HS_SITE", b"HS_SITE.6", b"HS_SERV"})
#: … and who serves the records of the prefixes derived from it.
DERIVED_TYPES: Final = frozenset({b"HS_SITE.PREFIX", b"HS_SERV.PREFIX", b"HS_NA_DELEGATE"})


class Delegation(NamedTuple):
    """What a node hands out for a prefix: records of site or service values, None for none."""

    prefix: str
    service: bytes | None
    derived: bytes | None


def delegation_of(prefix: str, record: bytes) -> Delegation | None:
    """The delegation in the prefix record `0.NA/<prefix>`, None if it names no service."""
    spans = list(scan(record))
    service = [span for span in spans if span.type.upper() in SERVICE_TYPES]
    derived = [span for span in spans if span.type.upper() in DERIVED_TYPES]
    if not service and not derived:
        return None
    return Delegation(
        prefix,
        join_spans(record, service) if service else None,
        join_spans(record, derived) if derived else None,
    )


class PrefixTree:
    """Homed prefixes and delegations of one node; kept current by its change feed."""

    def __init__(self, homed: Iterable[str] = ()) -> None:
        self.homed: set[str] = set(homed)
        self._delegations: dict[str, Delegation] = {}

    def homes(self, key: Key) -> bool:
        """Whether this node is the authority for an identifier with this key.

        `0.NA/P` is homed where P's parent is.
        """
        if key.prefix != PREFIX_RECORDS:
            return key.prefix in self.homed
        return PREFIX_RECORDS in self.homed or (parent(key.suffix) or TOP) in self.homed

    def denies(self, prefix: str) -> bool:
        """Whether this node is the authority that says that nothing exists under an unhomed prefix.

        True if the nearest ancestor known here is homed and not delegated.
        """
        for above in ancestors(prefix)[1:]:
            if above in self._delegations and above not in self.homed:
                return False
            if above in self.homed:
                return True
        return TOP in self.homed

    def service_for(self, prefix: str) -> Delegation | None:
        """The nearest delegation at or above `prefix` that says who serves its identifiers."""
        for above in ancestors(prefix):
            if above in self.homed:
                return None
            found = self._delegations.get(above)
            if found is not None and found.service is not None:
                return found
        return None

    def derived_for(self, prefix: str) -> Delegation | None:
        """The nearest delegation above `prefix` that says who has records of derived prefixes."""
        for above in ancestors(prefix)[1:]:
            found = self._delegations.get(above)
            if found is not None and found.derived is not None:
                return found
        return None

    def replace(self, records: Mapping[str, bytes]) -> None:
        """Take in the present records of all prefixes, in place of what was known."""
        found = (delegation_of(prefix, record) for prefix, record in records.items())
        self._delegations = {each.prefix: each for each in found if each is not None}

    def update(self, prefix: str, record: bytes | None) -> None:
        """Take in the present record of a prefix; None means that it is gone."""
        found = delegation_of(prefix, record) if record is not None else None
        if found is None:
            self._delegations.pop(prefix, None)
        else:
            self._delegations[prefix] = found
