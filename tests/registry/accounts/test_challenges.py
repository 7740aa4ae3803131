"""Challenges: whoever made one recognises it, as long as it holds, and nothing else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.accounts.challenges import LIFETIME, Challenges, signed_text
from registry.errors import ChallengeExpired, InvalidCredential

KEY = "0123456789abcdef"
CHALLENGES = Challenges("baijiu", b"secret")


def test_a_challenge_holds_for_its_lifetime() -> None:
    nonce, expires = CHALLENGES.make(KEY, 1000)
    assert expires == 1000 + LIFETIME
    assert CHALLENGES.check(KEY, nonce, expires - 1) == expires
    with pytest.raises(ChallengeExpired):
        CHALLENGES.check(KEY, nonce, expires)


def test_no_two_are_alike() -> None:
    assert len({CHALLENGES.make(KEY, 1000).nonce for _ in range(100)}) == 100


def test_it_is_for_one_key_on_one_node() -> None:
    nonce = CHALLENGES.make(KEY, 1000).nonce
    for challenges, key in (
        (CHALLENGES, KEY[::-1]),
        (Challenges("tea", b"secret"), KEY),
        (Challenges("baijiu", b"another"), KEY),
    ):
        with pytest.raises(InvalidCredential):
            challenges.check(key, nonce, 1000)
    assert Challenges("baijiu", b"secret").check(KEY, nonce, 1000), "after a restart too"


@given(st.integers(0, 39), st.integers(1, 255))
def test_a_changed_octet_shows(place: int, change: int) -> None:
    octets = bytearray(base64.urlsafe_b64decode(CHALLENGES.make(KEY, 1000).nonce))
    octets[place] ^= change
    with pytest.raises(InvalidCredential):
        CHALLENGES.check(KEY, base64.urlsafe_b64encode(bytes(octets)).decode(), 1000)


@given(st.text(max_size=80))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidCredential):
        CHALLENGES.check(KEY, text, 1000)


def test_what_is_signed_says_what_for() -> None:
    assert signed_text("baijiu", KEY, "n") == b"idnode log-in 1\nbaijiu\n0123456789abcdef\nn\n"
