"""Fenced `console` blocks of a page: commands behind `$ ` and, below each, what they print.

A line `…` in the output stands for any number of lines. A command is one program with its
arguments: no pipes, no variables.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMPT = "$ "


class Command(NamedTuple):
    """A command line, the page it stands on, and the lines of output shown for it."""

    page: str
    line: str
    output: list[str]

    def __str__(self) -> str:
        return f"{self.page}: {self.line}"


def commands(page: str) -> list[Command]:
    """The commands of a page, in the order in which a reader types them."""
    found: list[Command] = []
    for block in _BLOCK.findall((ROOT / page).read_text("utf-8")):
        for line in block.splitlines():
            if line.startswith(PROMPT):
                found.append(Command(page, line.removeprefix(PROMPT), []))
            else:
                found[-1].output.append(line)
    return found


def words(text: str) -> set[str]:
    """The words of an output, without what differs from run to run: numbers and rules."""
    plain = re.sub(r"\d+", "#", re.sub(r"[─…]+", " ", text))
    return set(plain.split())
