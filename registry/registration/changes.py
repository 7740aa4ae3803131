"""What can be asked of a stored identifier, and what becomes of it: rules only, nothing is stored.

RFC 3652 section 3.6 as its servers speak it: timestamps are the server's, an index is a positive
signed 32-bit number, adding never replaces and modifying never adds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from registry.errors import (
    AlreadyExists,
    InvalidValue,
    NotFound,
    PreconditionFailed,
    ValueExists,
    ValuesNotFound,
)
from registry.namespaces.namespace import check_namespace
from registry.registration.lifecycle import Operation, State, standing, step
from registry.schemes.handle import Key
from registry.storage.interface import Row
from registry.values.value import TTL_ABSOLUTE, TTL_RELATIVE, Value, encode_value, scan
from registry.values.wire import u32

#: Most values of one identifier.
MAX_VALUES: Final = 2048
#: Most octets of a record: what is left of the largest Handle message, 262,144 octets, once it
#: carries envelope, header, identifier and a signature.
MAX_RECORD: Final = 262_144 - 4096
_MAX_INDEX: Final = 0x7FFF_FFFF
_MAX_U32: Final = 0xFFFF_FFFF
_ALL_PERMISSIONS: Final = 0b1111

#: A record taken apart: the octets of each value by its index, in the order of the record.
Pieces = Mapping[int, bytes]


class Change(Protocol):
    """One change of one identifier."""

    @property
    def key(self) -> Key: ...

    @property
    def operation(self) -> Operation:
        """What it is in the life of the identifier."""
        ...

    def check(self, current: Row | None) -> None:
        """Raise PreconditionFailed unless the stored row is one that the change was made for."""

    def apply(self, before: Pieces | None, now: int) -> Pieces | None:
        """The values afterwards; None stands for no identifier. Raises Refusal."""
        ...


class _Unconditional:
    """What the changes share that do not ask which version they change."""

    __slots__ = ()

    def check(self, current: Row | None) -> None:
        """Any version will do."""


class _Update(_Unconditional):
    """What the changes share that need an active identifier to be there."""

    __slots__ = ()

    @property
    def operation(self) -> Operation:
        return Operation.UPDATE


@dataclass(frozen=True, slots=True)
class Create(_Unconditional):
    """Register an identifier; with `overwrite`, replace all values of one that exists."""

    key: Key
    values: Sequence[Value]
    overwrite: bool = False

    @property
    def operation(self) -> Operation:
        return Operation.REGISTER

    def apply(self, before: Pieces | None, now: int) -> Pieces | None:
        if before is not None and not self.overwrite:
            raise AlreadyExists()
        return _changed(before or {}, _stamped(self.values, now))


@dataclass(frozen=True, slots=True)
class PutValues(_Update):
    """Add values, replacing those whose index is taken."""

    key: Key
    values: Sequence[Value]

    def apply(self, before: Pieces | None, now: int) -> Pieces | None:
        there = _existing(before)
        return _sorted({**there, **_changed(there, _stamped(self.values, now))})


@dataclass(frozen=True, slots=True)
class ReplaceValues(_Update):
    """Replace all values with indexes from `first` on; those given may lie below it too."""

    key: Key
    values: Sequence[Value]
    first: int

    def apply(self, before: Pieces | None, now: int) -> Pieces | None:
        there, new = _existing(before), _stamped(self.values, now)
        kept = {index: piece for index, piece in there.items() if index < self.first}
        return _sorted({**kept, **_changed(there, new)})


@dataclass(frozen=True, slots=True)
class AddValues(_Update):
    """Add values under indexes that are free."""

    key: Key
    values: Sequence[Value]

    def apply(self, before: Pieces | None, now: int) -> Pieces | None:
        there, new = _existing(before), _stamped(self.values, now)
        for index in new:
            if index in there:
                raise ValueExists(index)
        return _sorted({**there, **new})


@dataclass(frozen=True, slots=True)
class ModifyValues(_Update):
    """Replace values under indexes that are taken."""

    key: Key
    values: Sequence[Value]

    def apply(self, before: Pieces | None, now: int) -> Pieces | None:
        there, new = _existing(before), _stamped(self.values, now)
        _need(there, list(new))
        return {**there, **new}


@dataclass(frozen=True, slots=True)
class RemoveValues(_Update):
    """Remove the values with these indexes; the identifier stays, even with none left."""

    key: Key
    indexes: Sequence[int]

    def apply(self, before: Pieces | None, now: int) -> Pieces | None:
        there = _existing(before)
        _need(there, self.indexes)
        return {index: piece for index, piece in there.items() if index not in self.indexes}


@dataclass(frozen=True, slots=True)
class Reserve(_Unconditional):
    """Keep an identifier that is not there for its registration."""

    key: Key

    @property
    def operation(self) -> Operation:
        return Operation.RESERVE

    def apply(self, before: Pieces | None, now: int) -> Pieces | None:
        return {}


@dataclass(frozen=True, slots=True)
class Move(_Unconditional):
    """Hold, release, revoke or restore an identifier; its values stay as they are."""

    key: Key
    operation: Operation

    def apply(self, before: Pieces | None, now: int) -> Pieces | None:
        return before


@dataclass(frozen=True, slots=True)
class Delete(_Unconditional):
    """Remove the identifier for good."""

    key: Key

    @property
    def operation(self) -> Operation:
        return Operation.DELETE

    def apply(self, before: Pieces | None, now: int) -> Pieces | None:
        return None


@dataclass(frozen=True, slots=True)
class Guarded:
    """A change that `guard` lets pass, or refuses, once it is known what it makes of what."""

    change: Change
    guard: Callable[[Pieces | None, Pieces | None], None]

    @property
    def key(self) -> Key:
        return self.change.key

    @property
    def operation(self) -> Operation:
        return self.change.operation

    def check(self, current: Row | None) -> None:
        self.change.check(current)

    def apply(self, before: Pieces | None, now: int) -> Pieces | None:
        after = self.change.apply(before, now)
        self.guard(before, after)
        return after


@dataclass(frozen=True, slots=True)
class IfVersion:
    """A change that is made only if the identifier is at one of these versions (None: at any)."""

    change: Change
    versions: Collection[int] | None

    @property
    def key(self) -> Key:
        return self.change.key

    @property
    def operation(self) -> Operation:
        return self.change.operation

    def check(self, current: Row | None) -> None:
        self.change.check(current)
        if current is None:
            raise PreconditionFailed("there is no such identifier")
        if self.versions is not None and current.version not in self.versions:
            raise PreconditionFailed(f"the identifier is at version {current.version}")

    def apply(self, before: Pieces | None, now: int) -> Pieces | None:
        return self.change.apply(before, now)


def decide(change: Change, current: Row | None, now: int, last_version: int = 0) -> Row | None:
    """The row after the change at Unix time `now`, None if there is none. Raises Refusal.

    `current` is the row before it, `last_version` that of one which is gone: versions go on from
    there. Values that the change does not name keep their octets.
    """
    state = None if current is None else standing(current.state, current.modified, now)
    change.check(current)
    next_state = step(state, change.operation)
    has_values = current is not None and state not in (None, State.RESERVED)
    before = _pieces(current.record) if current is not None and has_values else None
    after = change.apply(before, now)
    if after is None or next_state is None:
        return None
    record = u32(len(after)) + b"".join(after.values())
    check_size(record)
    version = (last_version if current is None else current.version) + 1
    return Row(*change.key, record, int(next_state), version, now)


def check_size(record: bytes) -> None:
    """Raise InvalidValue for a record with too many values, or too many octets of them."""
    count = int.from_bytes(record[:4], "big")
    if count > MAX_VALUES:
        raise InvalidValue(f"{count} values, at most {MAX_VALUES} are allowed")
    if len(record) > MAX_RECORD:
        raise InvalidValue(f"{len(record)} octets of values, at most {MAX_RECORD} are allowed")


def check_indexes(values: Iterable[Value]) -> None:
    """Raise InvalidValue for an index that no value can have, ValueExists for one given twice.

    The reference server says so before it asks who wants to know.
    """
    seen: set[int] = set()
    for value in values:
        if not 1 <= value.index <= _MAX_INDEX:
            raise InvalidValue("Value indexes must be positive", value.index, "index")
        if value.index in seen:
            raise ValueExists(value.index)
        seen.add(value.index)


def _pieces(record: bytes) -> Pieces:
    return {span.index: record[span.start : span.end] for span in scan(record)}


def _sorted(pieces: Pieces) -> Pieces:
    """By index: what is added stands among the rest as the servers in use put it."""
    return dict(sorted(pieces.items()))


def _existing(before: Pieces | None) -> Pieces:
    if before is None:
        raise NotFound()
    return before


def _need(there: Pieces, indexes: Sequence[int]) -> None:
    for index in indexes:
        if index not in there:
            raise ValuesNotFound(f"there is no value with index {index}")


def _stamped(values: Sequence[Value], now: int) -> Pieces:
    """The values in wire form with the server's time on them, each checked."""
    pieces: dict[int, bytes] = {}
    for value in values:
        _check(value)
        if value.index in pieces:
            raise InvalidValue(f"index {value.index} is given twice", value.index, "index")
        pieces[value.index] = encode_value(replace(value, timestamp=now))
    return pieces


def _changed(there: Pieces, new: Pieces) -> Pieces:
    """The new values; one that differs from what is there by its timestamp alone stays as it is."""
    return {
        index: there[index] if _same(there.get(index, b""), piece) else piece
        for index, piece in new.items()
    }


def _same(one: bytes, other: bytes) -> bool:
    """Whether two values in wire form are the same but for their timestamps (octets 4 to 7)."""
    return one[8:] == other[8:] and one[:4] == other[:4]


def _check(value: Value) -> None:
    """Hold one value against what may be stored. Raises InvalidValue naming the field."""
    rules = (
        ("index", 1 <= value.index <= _MAX_INDEX),
        ("type", _is_utf8(value.type)),
        ("ttl_type", value.ttl_type in (TTL_RELATIVE, TTL_ABSOLUTE)),
        ("ttl", 0 <= value.ttl <= _MAX_U32),
        ("permissions", 0 <= value.permissions <= _ALL_PERMISSIONS),
        ("references", all(0 <= reference.index <= _MAX_U32 for reference in value.references)),
    )
    for field, holds in rules:
        if not holds:
            raise InvalidValue(f"value {value.index}: {field} is not valid", value.index, field)
    check_namespace(value)


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True
