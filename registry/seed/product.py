"""What a sector's identifiers name: lots and the units in them, each with its template items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Draw:
    """Random-looking choices out of a digest: the same digest gives the same choices."""

    __slots__ = ("_pool",)

    def __init__(self, digest: bytes) -> None:
        self._pool = int.from_bytes(digest, "big")

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1."""
        self._pool, drawn = divmod(self._pool, limit)
        return drawn


class Item(NamedTuple):
    """One item of a template: the value type, and how its text is drawn."""

    type: str
    text: Callable[[Draw], str]


@dataclass(frozen=True, slots=True)
class Product:
    """A kind of thing. `suffix(prefix, serial)` names the serial-th one, from 1, under a prefix."""

    en: str
    zh: str
    suffix: Callable[[str, int], str]
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """The products of a sector: each lot is followed by the `per_lot` units that belong to it."""

    name: str
    lot: Product
    unit: Product
    per_lot: int

    def place(self, number: int) -> tuple[Product, int, int]:
        """What the number-th record is: its product, its serial there, its lot's (all from 1)."""
        lot, position = divmod(number - 1, 1 + self.per_lot)
        if position == 0:
            return self.lot, lot + 1, lot + 1
        return self.unit, lot * self.per_lot + position, lot + 1


def serial(pattern: str) -> Callable[[str, int], str]:
    """Suffixes that count, as in `serial("BOT-{:06d}")`."""
    return lambda _prefix, number: pattern.format(number)


def pick(choices: str) -> Callable[[Draw], str]:
    """One of the words between the bars."""
    words = tuple(choices.split("|"))
    return lambda draw: words[draw.below(len(words))]


def measure(low: float, high: float, unit: str = "", decimals: int = 0) -> Callable[[Draw], str]:
    """A number from `low` to `high` with its unit."""
    scale = 10**decimals
    first, steps = round(low * scale), round((high - low) * scale) + 1
    return lambda draw: f"{(first + draw.below(steps)) / scale:.{decimals}f}{unit}"


def code(pattern: str, numbers: int) -> Callable[[Draw], str]:
    """A code around a number below `numbers`, as in `code("L{:02d}", 12)`."""
    return lambda draw: pattern.format(draw.below(numbers))
