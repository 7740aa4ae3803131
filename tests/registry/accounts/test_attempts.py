"""How often log-ins may be tried: from one place, for one account."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.accounts.attempts import Allowance, Attempts, source_of
from registry.clock import ManualClock
from registry.errors import TooManyAttempts

FEW, MANY = Allowance(3, 10.0), Allowance(1000, 1.0)


def passes(attempts: Attempts, address: str, account: str) -> bool:
    try:
        attempts.take(address, account)
    except TooManyAttempts:
        return False
    return True


def test_a_place_has_so_many_attempts_for_all_accounts() -> None:
    attempts = Attempts(ManualClock(), FEW, MANY)
    assert [passes(attempts, "192.0.2.1", str(n)) for n in range(4)] == [True, True, True, False]
    assert passes(attempts, "192.0.2.2", "0")


def test_an_account_has_so_many_from_all_places() -> None:
    attempts = Attempts(ManualClock(), MANY, FEW)
    assert [passes(attempts, f"192.0.2.{n}", "a") for n in range(4)] == [True, True, True, False]
    assert passes(attempts, "192.0.2.9", "b")


def test_attempts_come_back_one_by_one() -> None:
    clock = ManualClock()
    attempts = Attempts(clock, FEW, MANY)
    while passes(attempts, "192.0.2.1", "a"):
        pass
    with pytest.raises(TooManyAttempts) as refused:
        attempts.take("192.0.2.1", "a")
    assert refused.value.retry_after == 10
    clock.advance(10)
    assert passes(attempts, "192.0.2.1", "a")
    assert not passes(attempts, "192.0.2.1", "a")
    clock.advance(1e6)
    assert [passes(attempts, "192.0.2.1", "a") for _ in range(4)] == [True, True, True, False]


def test_who_gets_in_has_used_nothing_up() -> None:
    attempts = Attempts(ManualClock(), FEW, FEW)
    for _ in range(20):
        attempts.take("192.0.2.1", "a")
        attempts.give_back("192.0.2.1", "a")


def test_a_refusal_uses_nothing_up() -> None:
    attempts = Attempts(ManualClock(), MANY, FEW)
    for _ in range(50):
        passes(attempts, "192.0.2.1", "a")
    assert all(passes(attempts, "192.0.2.1", str(n)) for n in range(900))


def test_only_so_many_are_remembered() -> None:
    attempts = Attempts(ManualClock(), FEW, MANY, most=2)
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        while passes(attempts, address, "a"):
            pass
    assert not passes(attempts, "192.0.2.3", "a")
    assert passes(attempts, "192.0.2.1", "a"), "it was forgotten"


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:0:0:1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_what_counts_as_one_place(address: str, source: str) -> None:
    assert source_of(address) == source


@given(st.lists(st.floats(0, 100), max_size=60))
def test_never_more_than_the_allowance(waits: list[float]) -> None:
    clock = ManualClock()
    attempts = Attempts(clock, FEW, MANY)
    passed = 0
    for wait in waits:
        clock.advance(wait)
        passed += passes(attempts, "192.0.2.1", "a")
    assert passed <= FEW.burst + sum(waits) / FEW.seconds + 1e-6
