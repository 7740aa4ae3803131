"""Where the lines of an upload come from: files in three formats, and serial numbers.

A source gives one line for each row of its file, so that the numbers of both agree. Where a row
makes no line, and where there is nothing in it, the line is blank.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from registry.bulk.lines import MAX_LINE, LineSplitter
from registry.bulk.mapping import ColumnMapping, encode_line
from registry.bulk.rows import RefusedRow, too_long
from registry.bulk.spreadsheet import read_spreadsheet
from registry.bulk.tables import BadRow, Cells, Table, read_csv
from registry.errors import DecodeError, InvalidValue

_CHUNK: Final = 1 << 18
#: A row: its line, or why it makes none, or nothing.
Line = bytes | RefusedRow | None
#: What tells formats apart by the ends of the names of files.
FORMATS: Final = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".xlsx": "xlsx",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
}
_TABLES: Final[dict[str, Callable[[Path], Iterable[Cells | BadRow | None]]]] = {
    "csv": read_csv,
    "tsv": lambda path: read_csv(path, "\t"),
    "xlsx": read_spreadsheet,
}


class _Named(msgspec.Struct):
    identifier: str | None = None
    suffix: str | None = None
    values: msgspec.Raw = msgspec.Raw()


_decode: Final = msgspec.json.Decoder(_Named).decode


def table_lines(path: Path, kind: str, prefix: str, asked: dict[str, str]) -> TableLines:
    """The rows of a CSV, TSV or XLSX file. Raises OSError, TableNotReadable, NoSuchMapping."""
    return TableLines(Table(_TABLES[kind](path)), prefix, asked)


class TableLines:
    """The lines that a table makes; `unused` are the columns that nothing is made of."""

    def __init__(self, table: Table, prefix: str, asked: dict[str, str]) -> None:
        self._table = table
        self._mapping = ColumnMapping(prefix, table.columns, asked)
        self.unused = self._mapping.unused

    def __iter__(self) -> Iterator[Line]:
        yield None
        for row in self._table:
            yield None if row is None else self._line(row)

    def _line(self, row: Cells | BadRow) -> Line:
        try:
            return self._mapping.line(row)
        except RefusedRow as refused:
            return refused


def ndjson_lines(path: Path, prefix: str) -> Iterator[Line]:
    """The lines of a file; `suffix` may stand in place of `identifier`. Raises OSError."""
    splitter = LineSplitter()
    with path.open("rb") as file:
        while octets := file.read(_CHUNK):
            for line in splitter.feed(octets):
                yield _named(line, prefix)
    for line in splitter.finish():
        yield _named(line, prefix)


def _named(line: bytes | None, prefix: str) -> Line:
    if line is None:
        return too_long(MAX_LINE)
    if not line.strip():
        return None
    try:
        found = _decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return RefusedRow(DecodeError(f"not the JSON asked for: {error}"), None)
    if found.suffix is not None and found.identifier is None:
        name = msgspec.json.encode(f"{prefix}/{found.suffix}")
        return b'{"identifier":%b,"values":%b}' % (name, bytes(found.values) or b"[]")
    if found.identifier is None:
        return RefusedRow(InvalidValue("identifier or suffix is missing", field="identifier"), None)
    if found.identifier.partition("/")[0].upper() != prefix.upper():
        said = InvalidValue(f"not under prefix {prefix}", field="identifier")
        return RefusedRow(said, found.identifier)
    return line


def serial_lines(
    prefix: str, serial: str, numbers: range, values: Sequence[dict[str, Any]]
) -> Iterator[bytes]:
    """Lines for a run of numbers: `serial` is a format with one place for a number, `{:06d}`.

    In the data of values `{suffix}` stands for what that gives, `{number}` for the number.
    """
    for number in numbers:
        suffix = serial.format(number)
        made = [
            {**value, "data": _filled(value["data"], suffix, number)}
            if isinstance(value["data"], str)
            else value
            for value in values
        ]
        yield encode_line(f"{prefix}/{suffix}", made)


def _filled(data: str, suffix: str, number: int) -> str:
    return data.replace("{suffix}", suffix).replace("{number}", str(number))
