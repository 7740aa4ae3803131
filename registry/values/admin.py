"""HS_ADMIN: who may administer an identifier, and how (RFC 3651 section 3.2.1).

permissions 2, administrator's handle string, index 4. An older form has two more octets at its end;
it is read, never written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from registry.values.json_members import Members
from registry.values.wire import WireReader, string, u16, u32

_PERMISSION_DIGITS: Final = 12
_LEGACY_TAIL: Final = 2


class AdminPermission(IntFlag):
    """What an administrator may do: the bits of RFC 3651 section 3.2.1."""

    ADD_HANDLE = 0x001
    DELETE_HANDLE = 0x002
    ADD_DERIVED_PREFIX = 0x004
    DELETE_DERIVED_PREFIX = 0x008
    MODIFY_VALUE = 0x010
    REMOVE_VALUE = 0x020
    ADD_VALUE = 0x040
    MODIFY_ADMIN = 0x080
    REMOVE_ADMIN = 0x100
    ADD_ADMIN = 0x200
    READ_VALUE = 0x400
    LIST_HANDLES = 0x800


ALL_PERMISSIONS: Final = AdminPermission(0xFFF)


#: The bits that `argument_mask` has in other places: MODIFY_VALUE to READ_VALUE.
_MOVED: Final = 0x7F0
_LOWEST_MOVED: Final = 0x010


@dataclass(frozen=True, slots=True)
class Admin:
    """The administrator `index:handle` and what it may do. `handle` is UTF-8; index 0 is any."""

    handle: bytes
    index: int
    permissions: AdminPermission = ALL_PERMISSIONS


def encode_admin(admin: Admin) -> bytes:
    """The data of an HS_ADMIN value."""
    return u16(admin.permissions) + string(admin.handle) + u32(admin.index)


def decode_admin(data: bytes) -> Admin:
    """The administrator named by the data of an HS_ADMIN value. Raises DecodeError."""
    reader = WireReader(data)
    permissions = AdminPermission(reader.u16("admin permissions"))
    admin = Admin(reader.string("admin handle"), reader.u32("admin index"), permissions)
    if reader.left == _LEGACY_TAIL:
        reader.take(_LEGACY_TAIL, "end of an old admin record")
    reader.finish("admin record")
    return admin


def argument_mask(permissions: AdminPermission) -> int:
    """The permissions in the order of `perm_mask` in recorded cases, which is not that of the wire.

    There bit 10h of the wire is 400h, and the six above it are each one place lower.
    """
    bits = int(permissions)
    lowest = bits & _LOWEST_MOVED
    return bits & ~_MOVED | (bits & _MOVED & ~_LOWEST_MOVED) >> 1 | lowest << 6


def admin_to_json(admin: Admin) -> dict[str, object]:
    """The JSON form, permissions as 12 digits from LIST_HANDLES down.

    Raises UnicodeDecodeError for a handle that is not UTF-8.
    """
    return {
        "handle": admin.handle.decode(),
        "index": admin.index,
        "permissions": f"{int(admin.permissions) & 0xFFF:012b}",
    }


def admin_from_json(members: Members) -> Admin:
    """The administrator in a JSON form. Raises InvalidValue."""
    digits = members.text("permissions")
    if len(digits) != _PERMISSION_DIGITS or digits.strip("01"):
        raise members.refuse("permissions", f"{_PERMISSION_DIGITS} digits 0 or 1 are expected")
    return Admin(
        members.text("handle").encode(), members.number("index"), AdminPermission(int(digits, 2))
    )
