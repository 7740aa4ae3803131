"""What is wrong with a topology, said so that a person finds the place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple


class Finding(NamedTuple):
    """A fault and the key it is at, as in `node[3].prefix`; tables of an array count from 0."""

    key: str
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding with its file and, where known, its line (from 1)."""

    file: str
    key: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.key, self.message) if part)


class TopologyError(Exception):
    """A topology that cannot run, with every problem found in it. str() has one line for each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message that names the nearest known word, empty if none is near."""
    near = get_close_matches(word, list(known), 1)
    return f'; did you mean "{near[0]}"?' if near else ""
