"""Regular expressions of templates: the part of the language that cannot run away.

A pattern is refused unless the number of ways in which it may try to match is small: an endless
repetition must not contain another choice, and few of them may follow each other. What is left is
matched by the `re` module.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from registry.errors import DecodeError

MAX_PATTERN: Final = 256
#: Longest text that is matched, in characters: no identifier is longer.
MAX_SUBJECT: Final = 255
#: Most ways to match a text of MAX_SUBJECT: three endless repetitions in a row.
MAX_WAYS: Final = 256**3
_MAX_GROUPS: Final = 16
#: Most copies that a counted repetition may make.
_MAX_COUNT: Final = 255

#: A class; what `re` may one day read as operations on sets is left out.
_CLASS: Final = re.compile(r"\[\^?\]?(?:(?!--|&&|\|\||~~)[^\\\]\[]|\\[^\n])*\]")
_ESCAPE: Final = re.compile(r"\\(?:[dDwWsSnrt]|[^0-9A-Za-z])")
_COUNT: Final = re.compile(r"\{([0-9]{1,3})(?:(,)([0-9]{1,3})?)?\}")
_SIMPLE: Final[dict[str, tuple[int, int | None]]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}


class Ways(NamedTuple):
    """In how many ways a part may match n characters: `factor * (n + 1) ** degree`."""

    factor: int
    degree: int

    def of(self, length: int) -> int:
        return int(self.factor * (length + 1) ** self.degree)


ONE_WAY: Final = Ways(1, 0)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that is safe to use: `match` wants the whole text, as tests of templates do."""

    regex: re.Pattern[str]
    ways: Ways

    def match(self, text: str) -> re.Match[str] | None:
        """The match of a whole text of at most MAX_SUBJECT characters; longer ones have none."""
        return self.regex.fullmatch(text) if len(text) <= MAX_SUBJECT else None


@lru_cache(maxsize=1024)
def read_pattern(expression: str, ignore_case: bool) -> Pattern:
    """The pattern that an expression stands for. Raises DecodeError with what is not allowed."""
    if len(expression) > MAX_PATTERN:
        raise DecodeError(f"a pattern of {len(expression)} characters, at most {MAX_PATTERN}")
    scanner = _Scanner(expression)
    ways = scanner.alternatives()
    if scanner.at < len(expression):
        raise scanner.fault("unbalanced parenthesis")
    try:
        return Pattern(re.compile(expression, re.IGNORECASE if ignore_case else 0), ways)
    except (re.error, OverflowError) as error:
        raise DecodeError(f"pattern {expression!r}: {error}") from None


class _Scanner:
    """Reads a pattern once from left to right, counting ways; `at` is the next character."""

    def __init__(self, expression: str) -> None:
        self._text = expression
        self.at = 0
        self._groups = 0

    def fault(self, what: str) -> DecodeError:
        return DecodeError(f"{what} in pattern {self._text!r}", self.at)

    def alternatives(self) -> Ways:
        ways = self._sequence()
        while self._next() == "|":
            self.at += 1
            ways = self._bounded(_either(ways, self._sequence()))
        return ways

    def _sequence(self) -> Ways:
        ways = ONE_WAY
        while (char := self._next()) and char not in "|)":
            ways = self._bounded(_both(ways, self._repeated(self._atom(char))))
        return ways

    def _bounded(self, ways: Ways) -> Ways:
        if ways.of(MAX_SUBJECT) > MAX_WAYS:
            raise self.fault("too many repetitions or alternatives")
        return ways

    def _atom(self, char: str) -> Ways:
        if char == "(":
            return self._group()
        if char in "*+?{":
            raise self.fault("nothing to repeat, or a repetition of a repetition,")
        if char in "[\\":
            token = (_CLASS if char == "[" else _ESCAPE).match(self._text, self.at)
            if token is None:
                raise self.fault(f"{self._text[self.at : self.at + 8]!r} is not allowed")
            self.at = token.end()
        else:
            self.at += 1
        return ONE_WAY

    def _group(self) -> Ways:
        self._groups += 1
        if self._groups > _MAX_GROUPS:
            raise self.fault("too many groups")
        self.at += 3 if self._text.startswith("(?:", self.at) else 1
        ways = self.alternatives()
        if self._next() != ")":
            raise self.fault("unbalanced parenthesis")
        self.at += 1
        return ways

    def _repeated(self, ways: Ways) -> Ways:
        """The ways of a part with the quantifier behind it, if there is one."""
        bounds = self._quantifier()
        if bounds is None:
            return ways
        if self._next() == "?":  # lazy: the same ways in another order
            self.at += 1
        least, most = bounds
        if most is not None:
            return self._counted(ways, least, most)
        if ways != ONE_WAY:
            raise self.fault("a choice within an endless repetition")
        return Ways(1, 1)

    def _counted(self, ways: Ways, least: int, most: int) -> Ways:
        total, power = (ONE_WAY if least == 0 else Ways(0, 0)), ONE_WAY
        for count in range(1, most + 1):
            power = self._bounded(_both(power, ways))
            if count >= least:
                total = self._bounded(_either(total, power))
        return total

    def _quantifier(self) -> tuple[int, int | None] | None:
        """The bounds of the quantifier here, None for no quantifier."""
        char = self._next()
        if char in _SIMPLE:
            self.at += 1
            return _SIMPLE[char]
        if char != "{":
            return None
        found = _COUNT.match(self._text, self.at)
        if found is None:
            raise self.fault("a repetition that cannot be read")
        self.at = found.end()
        least = int(found[1])
        most = least if found[2] is None else None if found[3] is None else int(found[3])
        if least > _MAX_COUNT or (most is not None and not least <= most <= _MAX_COUNT):
            raise self.fault("a repetition out of bounds")
        return least, most

    def _next(self) -> str:
        return self._text[self.at : self.at + 1]


def _both(one: Ways, other: Ways) -> Ways:
    return Ways(one.factor * other.factor, one.degree + other.degree)


def _either(one: Ways, other: Ways) -> Ways:
    return Ways(one.factor + other.factor, max(one.degree, other.degree))
