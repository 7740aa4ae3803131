"""Rows of a table as lines of an upload: which column is the identifier, which are its values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from registry.bulk.rows import RefusedRow
from registry.bulk.tables import BadRow, Cells
from registry.errors import InvalidValue

#: Columns that name the identifier: by its suffix, or as a whole.
SUFFIX: Final = "suffix"
IDENTIFIER: Final = "identifier"
_VALUE: Final = re.compile(r"([0-9]{1,10}):(.+)", re.DOTALL)
_encode: Final = msgspec.json.Encoder().encode


class NoSuchMapping(ValueError):  # noqa: N818 - it refuses, nothing malfunctioned
    """Columns cannot be mapped as asked; the text says which."""


class ColumnMapping:
    """What the columns of a table are. `asked` maps names or numbers (from 1) of columns to
    `suffix`, `identifier` or `INDEX:TYPE`; a column that is called so needs no asking.

    Raises NoSuchMapping.
    """

    def __init__(self, prefix: str, columns: Sequence[str], asked: dict[str, str]) -> None:
        self._prefix = prefix
        self._width = len(columns)
        meanings = [asked.get(name, name) for name in columns]
        for name, meaning in asked.items():
            if name not in columns:
                meanings[_numbered(name, columns)] = meaning
        names = [at for at, meaning in enumerate(meanings) if meaning in (SUFFIX, IDENTIFIER)]
        if len(names) != 1:
            raise NoSuchMapping(
                f"one column has to be {SUFFIX} or {IDENTIFIER}, and {len(names)} are: there are"
                f" {', '.join(columns)}"
            )
        self._name = names[0]
        self._whole = meanings[self._name] == IDENTIFIER
        self._values = [
            (at, int(found[1]), found[2])
            for at, meaning in enumerate(meanings)
            if (found := _VALUE.fullmatch(meaning))
        ]
        if not self._values:
            raise NoSuchMapping(
                "no column is a value: call one INDEX:TYPE or map one to that; there are"
                f" {', '.join(columns)}"
            )
        used = {self._name, *(at for at, _, _ in self._values)}
        self.unused = [name for at, name in enumerate(columns) if at not in used]

    def line(self, row: Cells | BadRow) -> bytes:
        """The row as a line of an upload. Raises RefusedRow."""
        if isinstance(row, BadRow):
            field = None if row.column is None else f"column {row.column}"
            raise RefusedRow(InvalidValue(f"{row.message} ({row.rule})", field=field), None)
        if len(row) > self._width:
            said = f"{len(row)} cells under {self._width} columns"
            raise RefusedRow(InvalidValue(said, field=f"column {self._width + 1}"), None)
        name = row[self._name] if self._name < len(row) else ""
        if not name:
            raise RefusedRow(InvalidValue("the identifier is empty", field=IDENTIFIER), None)
        identifier = name if self._whole else f"{self._prefix}/{name}"
        values = [
            {"index": index, "type": type_, "data": row[at]}
            for at, index, type_ in self._values
            if at < len(row) and row[at]
        ]
        if not values:
            raise RefusedRow(InvalidValue("the row has no values", field="values"), identifier)
        return encode_line(identifier, values)


def encode_line(identifier: str, values: Sequence[dict[str, Any]]) -> bytes:
    """A line of an upload, without its end."""
    return _encode({"identifier": identifier, "values": values})


def _numbered(name: str, columns: Sequence[str]) -> int:
    if name.isascii() and name.isdigit() and 1 <= int(name) <= len(columns):
        return int(name) - 1
    raise NoSuchMapping(f"there is no column {name!r}, but {', '.join(columns)}")
