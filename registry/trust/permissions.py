"""What a certificate lets its subject sign: scopes that start at an identifier.

A prefix is named by its record, `0.NA/88.901`. Prefixes compare by segments: 88.9 is not above
88.901.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from registry.errors import InvalidIdentifier
from registry.schemes.handle import (
    DEFAULT_RULES,
    PREFIX_RECORDS,
    HandleRules,
    Key,
    parse,
    prefix_record,
)
from registry.trust.claims import Permission

EVERYTHING: Final = "everything"
THIS_HANDLE: Final = "thisHandle"
DERIVED_PREFIXES: Final = "derivedPrefixes"
HANDLES_UNDER_THIS_PREFIX: Final = "handlesUnderThisPrefix"


def covers(
    permissions: Iterable[Permission], signed: Key, rules: HandleRules = DEFAULT_RULES
) -> bool:
    """Whether one of the permissions lets its holder sign the identifier; unknown ones never do."""
    return any(_covers(permission, signed, rules) for permission in permissions)


def prefix_permissions(prefix: str) -> tuple[Permission, ...]:
    """All that the holder of a prefix needs: its record, its identifiers, and all below them."""
    handle = str(prefix_record(prefix))
    scopes = (THIS_HANDLE, HANDLES_UNDER_THIS_PREFIX, DERIVED_PREFIXES)
    return tuple(Permission(handle=handle, perm=scope) for scope in scopes)


def _covers(permission: Permission, signed: Key, rules: HandleRules) -> bool:
    if permission.perm == EVERYTHING:
        return True
    scope = _SCOPES.get(permission.perm)
    if scope is None or permission.handle is None:
        return False
    try:
        return scope(parse(permission.handle, rules), signed)
    except InvalidIdentifier:
        return False


def _under_prefix(start: Key, signed: Key) -> bool:
    return start.prefix == PREFIX_RECORDS and signed.prefix == start.suffix


def _derived(start: Key, signed: Key) -> bool:
    """A prefix below the one named, by its record or by an identifier under it."""
    prefix = signed.suffix if signed.is_prefix_record else signed.prefix
    return start.prefix == PREFIX_RECORDS and prefix.startswith(f"{start.suffix}.")


_SCOPES: Final[dict[str, Callable[[Key, Key], bool]]] = {
    THIS_HANDLE: Key.__eq__,
    HANDLES_UNDER_THIS_PREFIX: _under_prefix,
    DERIVED_PREFIXES: _derived,
}
