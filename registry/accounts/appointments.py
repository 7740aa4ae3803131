"""Which accounts there can be: the roles of those who run the node, and those of enterprises.

Who may make which of them follows from the table of rights, by what an account is about: nobody of
an enterprise may do anything about the node's own prefix.
"""

from __future__ import annotations

from typing import Final

from registry.accounts.account import Account
from registry.authorisation import Role
from registry.errors import InvalidValue

#: Roles at the node's own prefix, under prefixes below it, and in enterprises.
ROLES_AT_THE_NODE: Final = frozenset({Role.OPERATOR, Role.AUDITOR, Role.READ_ONLY})
ROLES_BELOW: Final = frozenset({Role.ENTERPRISE_OPERATOR, Role.ENTERPRISE_APP, Role.TRAINEE})
# Somebody without an enterprise who only reads would read as staff does, wherever their prefix is.
ROLES_IN_ENTERPRISES: Final = ROLES_BELOW | {Role.READ_ONLY}


def check_role(account: Account, node_prefix: str | None) -> None:
    """Raise InvalidValue unless there can be an account like this on the node of a prefix."""
    if account.enterprise and account.prefix:
        raise InvalidValue(
            "an account acts for an enterprise or for a prefix, not for both", field="prefix"
        )
    if account.enterprise:
        where, roles = "in an enterprise", ROLES_IN_ENTERPRISES
    elif account.prefix == node_prefix:
        where, roles = "of the node's staff", ROLES_AT_THE_NODE
    else:
        where, roles = "under a prefix", ROLES_BELOW
    if account.role not in roles:
        named = ", ".join(sorted(role.value for role in roles))
        raise InvalidValue(f"the role of an account {where} is one of {named}", field="role")
