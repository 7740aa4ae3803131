"""Unified social credit codes (统一社会信用代码) of GB 32100-2015: 18 characters, the last a check.

1 registration department, 1 kind of organisation, 6 administrative division (GB/T 2260), 9 code of
the organisation, 1 check character. Letters are capital; I, O, S, V and Z are not used.
"""

from __future__ import annotations

from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LENGTH: Final = 18
_VALUE: Final = {character: value for value, character in enumerate(ALPHABET)}
_WEIGHTS: Final = tuple(pow(3, place, 31) for place in range(LENGTH - 1))


def check_character(body: str) -> str:
    """The 18th character for the 17 before it. Raises KeyError for a character not in use."""
    total = sum(_VALUE[each] * weight for each, weight in zip(body, _WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def fault(code: str) -> str | None:
    """What is wrong with a code, in words; None if nothing is."""
    if len(code) != LENGTH:
        return f"has {LENGTH} characters, not {len(code)}"
    unknown = [each for each in code if each not in _VALUE]
    if unknown:
        return "has digits and capital letters without I, O, S, V and Z"
    if not code[2:8].isdigit():
        return "has the six digits of an administrative division at places 3 to 8"
    if code[-1] != check_character(code[:-1]):
        return "has another check character than its digits make"
    return None
