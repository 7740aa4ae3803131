"""Who may administer an identifier, and how: HS_ADMIN, groups of administrators, prefixes.

An administrator is the value `index:handle` that holds its key (RFC 3651 section 3.2.1). It is one
of an identifier if an HS_ADMIN value names it, directly or through HS_VLIST groups: one of the
identifier, of the record of its prefix `0.NA/P`, or of `P/ADMIN`, which lives where P does. The
bootstrap administrator of P, `300:P/ADMIN`, needs no HS_ADMIN. Only records are looked at here,
never keys: who somebody is has been checked before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final, TypeAlias

from registry.errors import (
    AuthenticationNeeded,
    DecodeError,
    NotAnAdministrator,
    NotPermitted,
)
from registry.membership import Identity, RecordOf, is_meant
from registry.registration.changes import Change, Create, ModifyValues
from registry.schemes.handle import (
    DEFAULT_RULES,
    PREFIX_RECORDS,
    HandleRules,
    Key,
    parent,
    prefix_record,
)
from registry.storage.interface import ADMINISTRATOR
from registry.values.admin import ALL_PERMISSIONS, AdminPermission, decode_admin
from registry.values.value import (
    ADMIN_WRITE,
    PUBLIC_READ,
    PUBLIC_WRITE,
    Reference,
    Span,
    decode_value,
    scan,
)
from registry.values.wire import u32

#: Where the key of a bootstrap administrator is.
BOOTSTRAP_INDEX: Final = 300

_P = AdminPermission
#: What replacing one value by another takes, by whether they are HS_ADMIN (None: there is none).
_NEEDED: Final[dict[tuple[bool | None, bool | None], AdminPermission]] = {
    (None, False): _P.ADD_VALUE,
    (None, True): _P.ADD_ADMIN,
    (False, None): _P.REMOVE_VALUE,
    (True, None): _P.REMOVE_ADMIN,
    (False, False): _P.MODIFY_VALUE,
    (True, True): _P.MODIFY_ADMIN,
    (True, False): _P.REMOVE_ADMIN | _P.ADD_VALUE,
    (False, True): _P.REMOVE_VALUE | _P.ADD_ADMIN,
}

Pieces: TypeAlias = Mapping[int, bytes]


def bootstrap_administrator(prefix: str) -> Identity:
    """The administrator that every homed prefix has from the start."""
    return Identity(Key(prefix, ADMINISTRATOR), BOOTSTRAP_INDEX)


def governing_prefix(key: Key) -> str:
    """The prefix whose administrators administer an identifier: its own, `0.NA/P` that above P."""
    if not key.is_prefix_record or key.suffix == PREFIX_RECORDS:
        return key.prefix
    return parent(key.suffix) or PREFIX_RECORDS


class Rights:
    """The rights on one node.

    `record` reads the values of identifiers that live there; `anywhere`, which those of other nodes
    too, is asked only if rights do not follow from these. `administrators` run the node and may do
    everything on it.
    """

    def __init__(
        self,
        record: RecordOf,
        administrators: Collection[Identity] = (),
        rules: HandleRules = DEFAULT_RULES,
        anywhere: RecordOf | None = None,
    ) -> None:
        self._readers = (record,) if anywhere is None else (record, anywhere)
        self._administrators = frozenset(administrators)
        self._rules = rules

    def held(
        self, identity: Identity, key: Key, record: bytes | None, read: RecordOf | None = None
    ) -> AdminPermission | None:
        """What the identity may do with an identifier; None if it is no administrator of it.

        `record` is the identifier's own, None where it does not exist (yet); `read` finds the
        others, as `record` does unless it is given.
        """
        read = read or self._readers[0]
        prefix = governing_prefix(key)
        if identity in self._administrators or identity == bootstrap_administrator(prefix):
            return ALL_PERMISSIONS
        found = None
        for holder in (record, read(Key(prefix, ADMINISTRATOR)), read(prefix_record(prefix))):
            for reference, permissions in _admins(holder):
                if is_meant(identity, reference, read, self._rules):
                    found = permissions | (found or _P(0))
        return found

    def need(
        self,
        identity: Identity | None,
        key: Key,
        record: bytes | None,
        *enough: AdminPermission,
    ) -> None:
        """Raise unless the identity holds one of the given sets of permissions in full.

        Raises AuthenticationNeeded for nobody, NotAnAdministrator, NotPermitted, and what
        `anywhere` raises.
        """
        if identity is None:
            raise AuthenticationNeeded()
        held = None
        for read in self._readers:
            held = self.held(identity, key, record, read)
            if held is not None and any(held & needed == needed for needed in enough):
                return
        raise NotAnAdministrator() if held is None else NotPermitted()

    def need_server(self, identity: Identity | None) -> None:
        """Raise unless the identity is one of those who run the node."""
        if identity is None:
            raise AuthenticationNeeded()
        if identity not in self._administrators:
            raise NotAnAdministrator()

    def check(
        self, identity: Identity | None, change: Change, before: Pieces | None, after: Pieces | None
    ) -> None:
        """Raise unless the identity may make the change, which makes `after` of `before`."""
        derived = change.key.is_prefix_record and parent(change.key.suffix) is not None
        if before is None:
            needed = _P.ADD_DERIVED_PREFIX if derived else _P.ADD_HANDLE
            self.need(identity, change.key, None, needed)
            return
        record = u32(len(before)) + b"".join(before.values())
        if after is None:
            needed = _P.DELETE_DERIVED_PREFIX if derived else _P.DELETE_HANDLE
            self.need(identity, change.key, record, needed, _P.DELETE_HANDLE)
            return
        try:
            if needed := needed_permissions(before, after, _replaced(change, before)):
                self.need(identity, change.key, record, needed)
        except NotPermitted:
            # Who may delete and create may do both at once, too.
            if not isinstance(change, Create):
                raise
            self.need(identity, change.key, record, _P.DELETE_HANDLE)
            self.need(identity, change.key, None, _P.ADD_HANDLE)


def needed_permissions(
    before: Pieces, after: Pieces, replaced: Collection[int] = ()
) -> AdminPermission:
    """What it takes to make `after` of `before`, where nothing is made or ended at all as much as
    to modify a value.

    A value with public write takes nothing as long as it keeps its type. `replaced` are indexes of
    values that count as modified even if they are the same. Raises NotPermitted for a value that
    nobody may change.
    """
    indexes = before.keys() | after.keys()
    changed = {index for index in indexes if before.get(index) != after.get(index)}
    if not (touched := changed.union(replaced)):
        return _P.MODIFY_VALUE
    needed = _P(0)
    for index in touched:
        needed |= _needed_for(_span(before.get(index)), _span(after.get(index)))
    return needed


def _replaced(change: Change, before: Pieces) -> set[int]:
    """The indexes of values that a change names and that count as modified in any case.

    Those are all that it says to modify, and, so that nobody can find out by guessing what they may
    not read, those which the public does not see.
    """
    named = {value.index for value in getattr(change, "values", ())} & before.keys()
    if isinstance(change, ModifyValues):
        return named
    spans = {index: next(scan(u32(1) + before[index])) for index in named}
    return {index for index, span in spans.items() if not span.permissions & PUBLIC_READ}


def _needed_for(old: Span | None, new: Span | None) -> AdminPermission:
    if old is not None and new is not None:
        if not old.permissions & ADMIN_WRITE:
            raise NotPermitted("Value is read-only")
        same_type = old.type.upper() == new.type.upper()
        if old.permissions & PUBLIC_WRITE and same_type and not _is_admin(old):
            return _P(0)
    return _NEEDED[_is_admin(old), _is_admin(new)]


def _is_admin(span: Span | None) -> bool | None:
    return None if span is None else span.type.upper() == b"HS_ADMIN"


def _span(piece: bytes | None) -> Span | None:
    return None if piece is None else next(scan(u32(1) + piece))


def _admins(record: bytes | None) -> Iterator[tuple[Reference, AdminPermission]]:
    """The administrators that the HS_ADMIN values of a record name; unreadable ones name none."""
    for span in scan(record) if record is not None else ():
        if span.type.upper() != b"HS_ADMIN":
            continue
        assert record is not None
        try:
            admin = decode_admin(decode_value(record[span.start : span.end]).data)
        except DecodeError:
            continue
        yield Reference(admin.handle, admin.index), admin.permissions
