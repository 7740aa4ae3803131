"""Identifiers whose values are made from their name as it is spelled (template handles).

Identifiers that differ in case are one, and one answer is kept for all spellings. Values that a
template has computed may have the name in them, though: who spells it differently has them made
anew, from their own spelling. They are known by their timestamp, which is 0; no server registers
such values.
"""

from __future__ import annotations

from typing import Final

from registry.schemes.handle import Key, ascii_upper
from registry.values.value import scan
from resolver.query import Query, Refused, Values

#: Where the timestamp of a value lies in it (RFC 3651 section 3.1).
_TIMESTAMP: Final = slice(4, 8)
_MADE: Final = bytes(4)


def respelled(query: Query, found: Values | Refused) -> Key | None:
    """The name that the query is to be asked by again, None if what was found serves it.

    `found` is the answer for the canonical spelling.
    """
    if isinstance(found, Refused):
        return None
    suffix = query.asked.partition(b"/")[2].decode()
    if suffix == query.key.suffix or ascii_upper(suffix) != ascii_upper(query.key.suffix):
        return None
    return Key(query.key.prefix, suffix) if _is_made(found.record) else None


def _is_made(record: bytes) -> bool:
    return any(record[span.start : span.end][_TIMESTAMP] == _MADE for span in scan(record))
