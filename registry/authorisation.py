"""Who may do what: roles, operations, and the one table that decides.

A principal acts for prefixes: those who run the node for the node's own prefix, those of an
enterprise for what is allocated to it. What is asked for is about a prefix too; how the two stand
to one another, by whole segments, is the relation.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple


class Role(Enum):
    """What an account is there for."""

    OPERATOR = "operator"  # runs the node of a prefix: the platform administrator
    AUDITOR = "auditor"  # reviews enterprises and what they register, and reads the audit log
    ENTERPRISE_OPERATOR = "enterprise-operator"  # acts for an enterprise
    ENTERPRISE_APP = "enterprise-app"  # a program of an enterprise, such as a production line
    READ_ONLY = "read-only"
    TRAINEE = "trainee"  # registers under the prefix it was given to learn with


class Operation(Enum):
    """What can be asked for."""

    # identifiers
    READ = "read"  # an identifier in whatever state, its history, search
    REGISTER = "register"  # reserve, create, change and delete identifiers
    HOLD = "hold"  # take identifiers out of resolution and bring them back: hold to restore
    # enterprises and their prefixes
    ENTERPRISE_READ = "enterprise:read"
    ENTERPRISE_CHANGE = "enterprise:change"
    ENTERPRISE_REVIEW = "enterprise:review"  # accept or reject what was applied for
    PREFIX_READ = "prefix:read"
    PREFIX_APPLY = "prefix:apply"
    PREFIX_REVIEW = "prefix:review"  # accept or reject an application for a prefix
    PREFIX_ROUTE = "prefix:route"  # say where a self-hosted prefix is served
    PREFIX_CONTROL = "prefix:control"  # suspend, resume, revoke, transfer
    # templates
    TEMPLATE_READ = "template:read"
    TEMPLATE_DRAFT = "template:draft"
    TEMPLATE_PUBLISH = "template:publish"  # publish and withdraw
    # who else
    ACCOUNT_READ = "account:read"
    ACCOUNT_MANAGE = "account:manage"  # make, disable and delete accounts, tokens, keys of others
    # limits and the account of it all
    QUOTA_READ = "quota:read"
    QUOTA_SET = "quota:set"
    AUDIT_READ = "audit:read"


class Relation(Enum):
    """How what is asked about stands to a principal's prefixes, by whole segments."""

    OWN = "own"
    BELOW = "below"
    ABOVE = "above"
    FOREIGN = "foreign"


class Principal(NamedTuple):
    """Somebody whose credentials were checked.

    `enterprise` is the number of the enterprise an account belongs to, empty for those who run the
    node. `prefixes` is what it acts for: more than one for an enterprise that has several.
    """

    username: str
    role: Role
    prefixes: tuple[str, ...]
    enterprise: str = ""

    @property
    def runs_the_node(self) -> bool:
        """Whether this is one of the node's own staff, and not of an enterprise."""
        return self.role in STAFF and not self.enterprise


#: Roles of those who run a node. READ_ONLY can be either.
STAFF: Final = frozenset({Role.OPERATOR, Role.AUDITOR, Role.READ_ONLY})

_NONE: Final[frozenset[Relation]] = frozenset()
_OWN: Final = frozenset({Relation.OWN})
_DOWN: Final = _OWN | {Relation.BELOW}
_UP: Final = _OWN | {Relation.ABOVE}
_AROUND: Final = _DOWN | {Relation.ABOVE}

_COLUMNS: Final = (
    Role.OPERATOR,
    Role.AUDITOR,
    Role.ENTERPRISE_OPERATOR,
    Role.ENTERPRISE_APP,
    Role.READ_ONLY,
    Role.TRAINEE,
)
# Enterprises on nodes of their own are below too. They are not homed on the sector node:
# registration refuses their identifiers whoever asks.
_ROWS: Final[dict[Operation, tuple[frozenset[Relation], ...]]] = {
    # may:                        operator auditor  enterprise app    read   trainee
    Operation.READ: (_DOWN, _DOWN, _OWN, _OWN, _DOWN, _OWN),
    Operation.REGISTER: (_DOWN, _NONE, _OWN, _OWN, _NONE, _OWN),
    Operation.HOLD: (_DOWN, _NONE, _OWN, _NONE, _NONE, _OWN),
    Operation.ENTERPRISE_READ: (_DOWN, _DOWN, _OWN, _OWN, _DOWN, _OWN),
    Operation.ENTERPRISE_CHANGE: (_DOWN, _NONE, _OWN, _NONE, _NONE, _NONE),
    Operation.ENTERPRISE_REVIEW: (_DOWN, _DOWN, _NONE, _NONE, _NONE, _NONE),
    Operation.PREFIX_READ: (_DOWN, _DOWN, _OWN, _OWN, _DOWN, _OWN),
    Operation.PREFIX_APPLY: (_DOWN, _NONE, _OWN, _NONE, _NONE, _NONE),
    Operation.PREFIX_REVIEW: (_DOWN, _DOWN, _NONE, _NONE, _NONE, _NONE),
    Operation.PREFIX_ROUTE: (_DOWN, _NONE, _OWN, _NONE, _NONE, _NONE),
    Operation.PREFIX_CONTROL: (_DOWN, _NONE, _NONE, _NONE, _NONE, _NONE),
    Operation.TEMPLATE_READ: (_DOWN, _DOWN, _UP, _UP, _AROUND, _UP),
    Operation.TEMPLATE_DRAFT: (_DOWN, _NONE, _OWN, _NONE, _NONE, _NONE),
    Operation.TEMPLATE_PUBLISH: (_DOWN, _NONE, _OWN, _NONE, _NONE, _NONE),
    Operation.ACCOUNT_READ: (_DOWN, _DOWN, _OWN, _NONE, _NONE, _NONE),
    Operation.ACCOUNT_MANAGE: (_DOWN, _NONE, _OWN, _NONE, _NONE, _NONE),
    Operation.QUOTA_READ: (_DOWN, _DOWN, _OWN, _OWN, _DOWN, _OWN),
    Operation.QUOTA_SET: (_DOWN, _NONE, _NONE, _NONE, _NONE, _NONE),
    Operation.AUDIT_READ: (_DOWN, _DOWN, _OWN, _NONE, _NONE, _NONE),
}
#: Everything that is allowed; what is not listed is not.
GRANTS: Final = frozenset(
    (role, operation, relation)
    for operation, row in _ROWS.items()
    for role, relations in zip(_COLUMNS, row, strict=True)
    for relation in relations
)
#: The nearest relation counts where a principal acts for several prefixes.
_NEAREST_FIRST: Final = tuple(Relation)


def relation(own: str, prefix: str) -> Relation:
    """How `prefix` stands to `own`; both canonical."""
    ours, theirs = own.split("."), prefix.split(".")
    shared = min(len(ours), len(theirs))
    if ours[:shared] != theirs[:shared]:
        return Relation.FOREIGN
    if len(ours) == len(theirs):
        return Relation.OWN
    return Relation.BELOW if len(theirs) > len(ours) else Relation.ABOVE


def nearest(principal: Principal, prefix: str) -> Relation:
    """How a (canonical) prefix stands to those of a principal."""
    found = {relation(own, prefix) for own in principal.prefixes}
    return next((each for each in _NEAREST_FIRST if each in found), Relation.FOREIGN)


def may(principal: Principal, operation: Operation, prefix: str) -> bool:
    """Whether the principal may do this about a (canonical) prefix and what is under it."""
    return (principal.role, operation, nearest(principal, prefix)) in GRANTS


def may_for(principal: Principal, operation: Operation, enterprise: str) -> bool:
    """Whether the principal may do this about an enterprise, which need not have a prefix yet."""
    if principal.enterprise:
        here = Relation.OWN if principal.enterprise == enterprise else Relation.FOREIGN
    else:
        here = Relation.BELOW if principal.runs_the_node else Relation.FOREIGN
    return (principal.role, operation, here) in GRANTS


#: The table by operation and role, for documents and tests.
TABLE: Final[Mapping[tuple[Operation, Role], frozenset[Relation]]] = {
    (operation, role): relations
    for operation, row in _ROWS.items()
    for role, relations in zip(_COLUMNS, row, strict=True)
}
