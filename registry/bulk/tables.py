"""Files with columns: what stands in a row, and CSV (RFC 4180) as rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from registry.errors import DecodeError

Cells = list[str]
#: Characters of one cell.
MAX_CELL: Final = 1 << 20
_NOT_UTF8: Final = re.compile("[\ud800-\udfff]")


class TableNotReadable(DecodeError):  # noqa: N818 - it refuses, nothing malfunctioned
    """The file as a whole is not what it should be."""


class BadRow(NamedTuple):
    """A row that has no cells to speak of: the rule it breaks, and the column, counted from 1."""

    rule: str
    message: str
    column: int | None = None


class Table:
    """Rows one after another; row 1 names the columns, an empty row is None."""

    def __init__(self, rows: Iterable[Cells | BadRow | None]) -> None:
        self._rows = iter(rows)
        first = next(self._rows, None)
        if not isinstance(first, list):
            said = "there is none" if first is None else first.message
            raise TableNotReadable(f"row 1 should name the columns: {said}")
        self.columns = [name.strip() for name in first]

    def __iter__(self) -> Iterator[Cells | BadRow | None]:
        """The rows from row 2 on."""
        return self._rows


def read_csv(path: Path, delimiter: str = ",") -> Iterator[Cells | BadRow | None]:
    """The rows of a file in UTF-8, with a byte order mark or without."""
    csv.field_size_limit(MAX_CELL)
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield BadRow("csv", str(error))
                continue
            yield _checked(cells)


def _checked(cells: Cells) -> Cells | BadRow | None:
    for column, text in enumerate(cells, 1):
        if not text.isascii() and _NOT_UTF8.search(text):
            return BadRow("utf-8", f"column {column} is not UTF-8", column)
    return cells if any(cells) else None
