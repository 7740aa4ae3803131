"""What stands in the record of a prefix, `0.NA/P`, and in that of its bootstrap administrator."""

from __future__ import annotations

import secrets
from typing import Final

from registry.rights import BOOTSTRAP_INDEX
from registry.storage.interface import ADMINISTRATOR
from registry.values.admin import ALL_PERMISSIONS, Admin, encode_admin
from registry.values.value import ADMIN_READ, ADMIN_WRITE, Value

SITE_INDEX: Final = 1
DERIVED_SITE_INDEX: Final = 2
ADMIN_INDEX: Final = 100
#: Octets of randomness in an administrator's secret.
_SECRET_SIZE: Final = 24


def site_value(site: bytes) -> Value:
    """Who serves the identifiers under the prefix."""
    return Value(SITE_INDEX, b"HS_SITE", site)


def derived_value(site: bytes) -> Value:
    """Who serves the records of the prefixes derived from it."""
    return Value(DERIVED_SITE_INDEX, b"HS_SITE.PREFIX", site)


def admin_value(prefix: str) -> Value:
    """Its bootstrap administrator may do everything."""
    handle = f"{prefix}/{ADMINISTRATOR}".encode()
    data = encode_admin(Admin(handle, BOOTSTRAP_INDEX, ALL_PERMISSIONS))
    return Value(ADMIN_INDEX, b"HS_ADMIN", data)


def new_secret() -> str:
    """A random secret for an administrator."""
    return secrets.token_urlsafe(_SECRET_SIZE)


def administrator_values(prefix: str, secret: str) -> tuple[Value, ...]:
    """The record of the bootstrap administrator: a secret that only administrators may read."""
    permissions = ADMIN_READ | ADMIN_WRITE
    key = Value(BOOTSTRAP_INDEX, b"HS_SECKEY", secret.encode(), permissions=permissions)
    return admin_value(prefix), key
