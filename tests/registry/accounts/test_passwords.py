"""Passwords: which are taken, how they are kept, and that checking one tells nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from registry.accounts.account import digest
from registry.accounts.passwords import KNOWN, MAX_LENGTH, MIN_LENGTH, Passwords, check_password
from registry.errors import InvalidValue, Overloaded

GOOD = "seven wooden barrels"


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(max_waiting=2)
    yield made
    made.close()


@pytest.mark.parametrize(
    "password", ["x" * MIN_LENGTH, "x" * MAX_LENGTH, "一瓶白酒的唯一标识编码", GOOD]
)
def test_passwords_that_are_taken(password: str) -> None:
    check_password(password, "line-3")


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("x" * (MIN_LENGTH - 1), "10 to 128 characters"),
        ("x" * (MAX_LENGTH + 1), "10 to 128 characters"),
        ("operator@88.901", "not the username"),
        ("Operator@88.901", "not the username"),
        ("Password123", "documents show"),
    ],
)
async def test_passwords_that_are_not(passwords: Passwords, password: str, rule: str) -> None:
    with pytest.raises(InvalidValue, match=rule) as refused:
        await passwords.hashed(password, "operator@88.901")
    assert password not in str(refused.value)


def test_known_secrets_are_compared_in_lower_case() -> None:
    assert all(secret == secret.casefold() for secret in KNOWN)


async def test_what_is_stored_fits_one_password(passwords: Passwords) -> None:
    stored = await passwords.hashed(GOOD, "line-3")
    assert stored.startswith(b"$argon2id$v=19$m=19456,t=2,p=1$")
    assert stored != await passwords.hashed(GOOD, "line-3"), "salted"
    assert await passwords.holds(GOOD, stored)
    assert not await passwords.holds(GOOD + "!", stored)


async def test_a_letter_is_the_same_however_it_is_typed(passwords: Passwords) -> None:
    composed, apart = "sieben Fässer", "sieben Fa\u0308sser"
    assert composed != apart
    assert await passwords.holds(apart, await passwords.hashed(composed, "line-3"))


async def test_random_passwords_are_kept_as_digests(passwords: Passwords) -> None:
    assert await passwords.holds("q7Zx", digest("q7Zx"))
    assert not await passwords.holds("q7Zy", digest("q7Zx"))


async def test_nobody_has_a_password(passwords: Passwords) -> None:
    for password in ("", GOOD, "\x00", "x" * 500):
        assert not await passwords.holds(password, None)


@pytest.mark.parametrize(
    "stored", [b"", b"$argon2id$", b"$argon2i$v=19$x", bytes(32), b"\xff" * 40]
)
async def test_what_is_no_password_fits_none(passwords: Passwords, stored: bytes) -> None:
    assert not await passwords.holds(GOOD, stored)


async def test_only_so_many_wait(passwords: Passwords) -> None:
    asked = [asyncio.create_task(passwords.holds(GOOD, None)) for _ in range(5)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, Overloaded) for answer in answers) == 3
    assert not await passwords.holds(GOOD, None), "there is room again"
