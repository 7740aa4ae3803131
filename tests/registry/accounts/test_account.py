"""Accounts: issued secrets, and whom they belong to."""

from __future__ import annotations

from registry.accounts.account import authenticate, digest, issue_account
from registry.authorisation import Principal, Role


class Directory:
    """App keys in a dictionary."""

    def __init__(self, principals: dict[bytes, Principal]) -> None:
        self._principals = principals

    async def principal(self, digest: bytes, now: int) -> Principal | None:
        return self._principals.get(digest)


async def test_an_issued_token_authenticates() -> None:
    issued = issue_account("op-7", Role.ENTERPRISE_OPERATOR, "88.901.7")
    principal = Principal("op-7", Role.ENTERPRISE_OPERATOR, ("88.901.7",))
    directory = Directory({issued.app_key.digest: principal})
    assert await authenticate(directory, issued.token, 0) == principal
    for other in ("", issued.token[:-1], issued.token + "x", issued.password, "é"):
        assert await authenticate(directory, other, 0) is None


def test_secrets_are_random_and_only_their_digests_are_stored() -> None:
    first, second = (issue_account("op", Role.OPERATOR, "88.901") for _ in range(2))
    assert len({first.token, second.token, first.password, second.password}) == 4
    assert min(len(first.token), len(first.password)) >= 24
    assert first.account.password_digest == digest(first.password)
    assert first.token not in repr(first.account) + repr(first.app_key)
