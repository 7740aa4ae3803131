from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError, InvalidValue
from registry.values.admin import (
    ALL_PERMISSIONS,
    Admin,
    AdminPermission,
    admin_from_json,
    admin_to_json,
    argument_mask,
    decode_admin,
    encode_admin,
)
from registry.values.json_members import Members
from tests.support.handle_vectors import case_id, cases

U32 = st.integers(0, 0xFFFF_FFFF)
admins = st.builds(Admin, st.binary(max_size=40), U32, st.integers(0, 0xFFFF).map(AdminPermission))


@pytest.mark.parametrize("case", cases("admin_records"), ids=case_id)
def test_reads_and_writes_what_peers_write(case):
    data = bytes.fromhex(case["hex"])
    admin = decode_admin(data)
    assert (admin.handle.decode(), admin.index, argument_mask(admin.permissions)) == (
        case["admin_handle"],
        case["admin_index"],
        case["perm_mask"],
    )
    assert encode_admin(admin) == data
    assert list(admin_to_json(admin).items()) == list(case["json_api_form"].items())
    assert admin_from_json(Members(case["json_api_form"])) == admin
    assert decode_admin(bytes.fromhex(case["legacy_hex"])) == admin


@given(admins)
def test_encoding_is_read_back(admin):
    assert decode_admin(encode_admin(admin)) == admin


@given(st.binary(max_size=60))
def test_any_octets_are_read_or_refused(data):
    with contextlib.suppress(DecodeError):
        admin = decode_admin(data)
        assert decode_admin(encode_admin(admin)) == admin


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"\x0f", 0),
        (b"\x0f\xff\0\0\0\x05abc", 6),
        (b"\x0f\xff\0\0\0\x01a\0\0\0", 7),
        (b"\x0f\xff\0\0\0\x01a\0\0\0\x01\0", 11),
        (b"\x0f\xff\0\0\0\x01a\0\0\0\x01\0\0\0", 11),
    ],
)
def test_refusal_names_the_octet(data, offset):
    with pytest.raises(DecodeError) as caught:
        decode_admin(data)
    assert caught.value.offset == offset


@pytest.mark.parametrize("digits", ["1111", "1" * 13, "11111111111x", "", 111111111111, None])
def test_permissions_are_twelve_digits(digits):
    with pytest.raises(InvalidValue, match="permissions") as caught:
        admin_from_json(Members({"handle": "88.1/A", "index": 1, "permissions": digits}))
    assert caught.value.field == "permissions"


def test_bits_are_those_of_the_rfc():
    assert AdminPermission.MODIFY_VALUE == 0x10
    assert AdminPermission.READ_VALUE == 0x400


def test_digits_run_from_list_handles_down():
    form = admin_to_json(Admin(b"88.1/A", 300, AdminPermission.LIST_HANDLES))
    assert form["permissions"] == "100000000000"
    assert sum(AdminPermission) == ALL_PERMISSIONS


@pytest.mark.parametrize(
    ("permissions", "mask"),
    [
        (AdminPermission.DELETE_DERIVED_PREFIX, 0x008),
        (AdminPermission.MODIFY_VALUE, 0x400),
        (AdminPermission.REMOVE_VALUE, 0x010),
        (AdminPermission.ADD_VALUE, 0x020),
        (AdminPermission.MODIFY_ADMIN, 0x040),
        (AdminPermission.REMOVE_ADMIN, 0x080),
        (AdminPermission.ADD_ADMIN, 0x100),
        (AdminPermission.READ_VALUE, 0x200),
        (AdminPermission.LIST_HANDLES, 0x800),
        (ALL_PERMISSIONS, 0xFFF),
    ],
)
def test_recorded_masks_number_permissions_otherwise(permissions, mask):
    assert argument_mask(permissions) == mask
