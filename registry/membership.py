"""Whom a reference to an administrator means: a key itself, or all in a group (HS_VLIST).

Groups may have groups for members, on other nodes too; how deep and how wide they are followed is
bounded, and one that comes round again is not followed twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias

from registry.errors import DecodeError, InvalidIdentifier
from registry.schemes.handle import HandleRules, Key, parse
from registry.values.value import Reference, decode_value, scan
from registry.values.vlist import decode_vlist

#: How deep groups may be nested, how many members of one are looked at, how many groups in all.
MAX_DEPTH: Final = 4
MAX_MEMBERS: Final = 64
MAX_GROUPS: Final = 64

#: Reads the values of an identifier, None where there is none.
RecordOf: TypeAlias = Callable[[Key], "bytes | None"]


class Identity(NamedTuple):
    """The administrator `index:handle`: the value that holds its key."""

    handle: Key
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here

    def __str__(self) -> str:
        return f"{self.index}:{self.handle}"


def is_meant(
    identity: Identity, reference: Reference, record: RecordOf, rules: HandleRules
) -> bool:
    """Whether a reference names the identity, or a group that it is in.

    `record` is asked for groups, and may raise what makes the whole question one for later.
    """
    seen: set[Identity] = set()
    level = list(_identities((reference,), rules))
    for _ in range(MAX_DEPTH):
        if any(_matches(meant, identity) for meant in level):
            return True
        groups = [meant for meant in dict.fromkeys(level) if meant.index and meant not in seen]
        groups = groups[: MAX_GROUPS - len(seen)]
        seen.update(groups)
        level = [member for group in groups for member in _members(group, record, rules)]
    return any(_matches(meant, identity) for meant in level)


def _members(group: Identity, record_of: RecordOf, rules: HandleRules) -> Iterator[Identity]:
    """The members of the HS_VLIST that a reference leads to; none if it is something else."""
    record = record_of(group.handle)
    for span in scan(record) if record is not None else ():
        if span.index == group.index and span.type.upper() == b"HS_VLIST":
            assert record is not None
            try:
                members = decode_vlist(decode_value(record[span.start : span.end]).data)
            except DecodeError:
                return
            yield from _identities(members[:MAX_MEMBERS], rules)


def _identities(references: Iterable[Reference], rules: HandleRules) -> Iterator[Identity]:
    for reference in references:
        try:
            yield Identity(parse(reference.handle, rules), reference.index)
        except InvalidIdentifier:
            continue


def _matches(meant: Identity, identity: Identity) -> bool:
    return meant.handle == identity.handle and meant.index in (0, identity.index)
