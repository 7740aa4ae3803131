"""Vehicle identification numbers: ISO 3779 in form, with the check digit of 49 CFR 565.15 (c).

They begin with a maker code that starts with "0", which no maker of road vehicles in China carries,
so that none of them is the number of a real car.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

#: Letters and digits of a VIN: I, O and Q are left out.
ALPHABET: Final = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
_VALUES: Final = dict(
    zip(ALPHABET, (*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True)
)
_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_CHECK_AT: Final = 8
_MAKER: Final = "0XD"
_YEAR: Final = "R"  # model year 2024


def check_digit(vin: str) -> str:
    """The ninth character that the other sixteen call for."""
    total = sum(_VALUES[letter] * weight for letter, weight in zip(vin, _WEIGHTS, strict=True))
    return "0123456789X"[total % 11]


def vin(prefix: str, number: int) -> str:
    """The VIN of the number-th vehicle (from 1) of the enterprise with that prefix."""
    model = "".join(
        ALPHABET[octet % len(ALPHABET)]
        for octet in blake2b(prefix.encode(), digest_size=5).digest()
    )
    plant, counter = divmod(number, 1_000_000)
    draft = f"{_MAKER}{model}0{_YEAR}{ALPHABET[plant % len(ALPHABET)]}{counter:06d}"
    return f"{draft[:_CHECK_AT]}{check_digit(draft)}{draft[_CHECK_AT + 1 :]}"
