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
    """What an administrator may do, by the bits that Handle software writes.

    They are those of RFC 3651 save that READ_VALUE is 10h, not 400h, and the six from MODIFY_VALUE
    to ADD_ADMIN are twice as high; `rfc_mask` gives the numbering of the RFC.
    """

    ADD_HANDLE = 0x001
    DELETE_HANDLE = 0x002
    ADD_DERIVED_PREFIX = 0x004
    DELETE_DERIVED_PREFIX = 0x008
    READ_VALUE = 0x010
    MODIFY_VALUE = 0x020
    REMOVE_VALUE = 0x040
    ADD_VALUE = 0x080
    MODIFY_ADMIN = 0x100
    REMOVE_ADMIN = 0x200
    ADD_ADMIN = 0x400
    LIST_HANDLES = 0x800


ALL_PERMISSIONS: Final = AdminPermission(0xFFF)


_READ: Final = int(AdminPermission.READ_VALUE)
#: The bits that RFC 3651 has in other places.
_MOVED: Final = 0x7F0


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


def rfc_mask(permissions: AdminPermission) -> int:
    """The permissions as numbered in RFC 3651 section 3.2.1."""
    bits = int(permissions)
    return bits & ~_MOVED | (bits & _MOVED & ~_READ) >> 1 | (bits & _READ) << 6


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
