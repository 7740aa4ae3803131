"""Unified social credit codes: the check character tells one wrong character, and two swapped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.schemes.uscc import ALPHABET, check_character, fault

characters = st.sampled_from(ALPHABET)
codes = st.builds(
    lambda head, division, rest: (body := f"{head}{division}{rest}") + check_character(body),
    st.text(characters, min_size=2, max_size=2),
    st.from_regex(r"[0-9]{6}", fullmatch=True),
    st.text(characters, min_size=9, max_size=9),
)


def test_the_code_that_the_standard_shows():
    assert fault("91350100M000100Y43") is None


@given(codes)
def test_a_made_code_holds(code):
    assert fault(code) is None


@given(codes, st.integers(0, 17), characters)
def test_one_wrong_character_is_told(code, place, character):
    wrong = code[:place] + character + code[place + 1 :]
    assert wrong == code or fault(wrong) is not None


@given(codes, st.integers(8, 16))
def test_two_swapped_characters_are_told(code, place):
    wrong = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert wrong == code or fault(wrong) is not None


@given(st.text(max_size=30))
def test_anything_gets_a_word(text):
    assert fault(text) is None or fault(text)


@pytest.mark.parametrize(
    "code",
    ["", "91350100M000100Y4", "91350100M000100Y433", "91350100m000100y43", "91350100MO00100Y43"],
)
def test_what_is_no_code(code):
    assert fault(code)
