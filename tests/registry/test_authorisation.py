"""Who may do what: every cell of role x operation x relation, written out a second time."""

from __future__ import annotations

import itertools

import pytest

from registry.authorisation import (
    GRANTS,
    Operation,
    Principal,
    Relation,
    Role,
    may,
    may_for,
    nearest,
    relation,
)

#: For each operation, a line of what each role may: o own, b below, a above, in the order
#: operator, auditor, enterprise operator, enterprise app, read only, trainee.
MATRIX = """
read               ob ob o  o  ob  o
register           ob -  o  o  -   o
hold               ob -  o  -  -   o
enterprise:read    ob ob o  o  ob  o
enterprise:change  ob -  o  -  -   -
enterprise:review  ob ob -  -  -   -
prefix:read        ob ob o  o  ob  o
prefix:apply       ob -  o  -  -   -
prefix:review      ob ob -  -  -   -
prefix:route       ob -  o  -  -   -
prefix:control     ob -  -  -  -   -
template:read      ob ob oa oa oba oa
template:draft     ob -  o  -  -   -
template:publish   ob -  o  -  -   -
account:read       ob ob o  -  -   -
account:manage     ob -  o  -  -   -
quota:read         ob ob o  o  ob  o
quota:set          ob -  -  -  -   -
audit:read         ob ob o  -  -   -
"""
ROLES = (
    Role.OPERATOR,
    Role.AUDITOR,
    Role.ENTERPRISE_OPERATOR,
    Role.ENTERPRISE_APP,
    Role.READ_ONLY,
    Role.TRAINEE,
)
LETTERS = {"o": Relation.OWN, "b": Relation.BELOW, "a": Relation.ABOVE}
EXPECTED = {
    (role, Operation(words[0]), LETTERS[letter])
    for words in map(str.split, MATRIX.strip().splitlines())
    for role, cell in zip(ROLES, words[1:], strict=True)
    for letter in cell.replace("-", "")
}
#: A prefix in each relation to 88.901.7.
PREFIXES = {
    Relation.OWN: "88.901.7",
    Relation.BELOW: "88.901.7.1",
    Relation.ABOVE: "88.901",
    Relation.FOREIGN: "88.901.70",
}


@pytest.mark.parametrize(
    ("role", "operation", "stands"), list(itertools.product(Role, Operation, Relation))
)
def test_every_cell_is_as_written_here(role: Role, operation: Operation, stands: Relation) -> None:
    principal = Principal("someone", role, ("88.901.7",))
    allowed = (role, operation, stands) in EXPECTED
    assert may(principal, operation, PREFIXES[stands]) is allowed
    assert ((role, operation, stands) in GRANTS) is allowed


def test_nothing_is_left_out_here() -> None:
    assert {operation for _, operation, _ in EXPECTED} == set(Operation)
    assert len(MATRIX.strip().splitlines()) == len(Operation)


@pytest.mark.parametrize("role", Role)
def test_who_acts_for_nothing_may_nothing(role: Role) -> None:
    nobody = Principal("new", role, (), "ENT-1")
    assert not any(may(nobody, operation, "88.901.7") for operation in Operation)


@pytest.mark.parametrize(
    ("own", "prefix", "expected"),
    [
        ("88.901", "88.901", Relation.OWN),
        ("88.901", "88.901.7", Relation.BELOW),
        ("88.901", "88.901.7.1", Relation.BELOW),
        ("88.901", "88", Relation.ABOVE),
        ("88.901.7", "88.901", Relation.ABOVE),
        ("88.901", "88.9011", Relation.FOREIGN),
        ("88.901", "88.90", Relation.FOREIGN),
        ("88.901", "0.NA", Relation.FOREIGN),
        ("88.901.7", "88.901.70", Relation.FOREIGN),
        ("88.901.7", "88.902.7", Relation.FOREIGN),
    ],
)
def test_relations_are_by_whole_segments(own: str, prefix: str, expected: Relation) -> None:
    assert relation(own, prefix) is expected


def test_of_several_prefixes_the_nearest_counts() -> None:
    principal = Principal("both", Role.ENTERPRISE_OPERATOR, ("88.901.7", "88.901.7.1"))
    assert nearest(principal, "88.901.7.1") is Relation.OWN
    assert nearest(principal, "88.901") is Relation.ABOVE
    assert nearest(principal, "88.902.1") is Relation.FOREIGN


@pytest.mark.parametrize("operation", Operation)
def test_an_enterprise_is_its_own_accounts_affair_and_the_nodes(operation: Operation) -> None:
    own = Principal("e", Role.ENTERPRISE_OPERATOR, (), "ENT-1")
    staff = Principal("o", Role.OPERATOR, ("88.901",))
    hosted = Principal("h", Role.ENTERPRISE_OPERATOR, ("88.901.7",))
    owns = (Role.ENTERPRISE_OPERATOR, operation, Relation.OWN) in EXPECTED
    assert may_for(own, operation, "ENT-1") is owns
    assert not may_for(own, operation, "ENT-2")
    assert may_for(staff, operation, "ENT-1")
    assert not may_for(hosted, operation, "ENT-1")
