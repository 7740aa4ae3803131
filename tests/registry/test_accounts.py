"""Accounts: the table of grants, relations by segments, issued secrets."""

from __future__ import annotations

import itertools

import pytest

from registry.accounts import (
    GRANTS,
    Operation,
    Principal,
    Relation,
    Role,
    authenticate,
    digest,
    issue_account,
    may,
    relation,
)


class Directory:
    """App keys in a dictionary."""

    def __init__(self, principals: dict[bytes, Principal]) -> None:
        self._principals = principals

    async def principal(self, digest: bytes) -> Principal | None:
        return self._principals.get(digest)


@pytest.mark.parametrize(
    ("own", "prefix", "expected"),
    [
        ("88.901", "88.901", Relation.OWN),
        ("88.901", "88.901.7", Relation.BELOW),
        ("88.901", "88.901.7.1", Relation.BELOW),
        ("88.901", "88.9011", Relation.FOREIGN),
        ("88.901", "88.90", Relation.FOREIGN),
        ("88.901", "88", Relation.FOREIGN),
        ("88.901", "0.NA", Relation.FOREIGN),
        ("88.901.7", "88.901.70", Relation.FOREIGN),
        ("88.901.7", "88.901", Relation.FOREIGN),
        ("88.901.7", "88.902.7", Relation.FOREIGN),
    ],
)
def test_relations_are_by_whole_segments(own: str, prefix: str, expected: Relation) -> None:
    assert relation(own, prefix) is expected


#: Who may register where, written out; every cell of role x relation is here.
REGISTERS = {
    (Role.OPERATOR, "88.901"): True,
    (Role.OPERATOR, "88.901.7"): True,
    (Role.OPERATOR, "88.902"): False,
    (Role.ENTERPRISE_OPERATOR, "88.901"): True,
    (Role.ENTERPRISE_OPERATOR, "88.901.7"): False,
    (Role.ENTERPRISE_OPERATOR, "88.902"): False,
}


@pytest.mark.parametrize(("role", "prefix"), REGISTERS)
def test_who_may_register(role: Role, prefix: str) -> None:
    principal = Principal("someone", role, "88.901")
    assert may(principal, Operation.REGISTER, prefix) is REGISTERS[role, prefix]


def test_the_expectations_cover_the_whole_table() -> None:
    cells = set(itertools.product(Role, Operation, Relation))
    assert cells >= GRANTS
    assert len(cells) == len(REGISTERS)


async def test_an_issued_token_authenticates() -> None:
    issued = issue_account("op-7", Role.ENTERPRISE_OPERATOR, "88.901.7")
    principal = Principal("op-7", Role.ENTERPRISE_OPERATOR, "88.901.7")
    directory = Directory({issued.app_key.digest: principal})
    assert await authenticate(directory, issued.token) == principal
    for other in ("", issued.token[:-1], issued.token + "x", issued.password, "é"):
        assert await authenticate(directory, other) is None


def test_secrets_are_random_and_only_their_digests_are_stored() -> None:
    first, second = (issue_account("op", Role.OPERATOR, "88.901") for _ in range(2))
    assert len({first.token, second.token, first.password, second.password}) == 4
    assert min(len(first.token), len(first.password)) >= 24
    assert first.account.password_digest == digest(first.password)
    assert first.token not in repr(first.account) + repr(first.app_key)
