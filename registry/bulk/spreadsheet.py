"""The first sheet of an XLSX workbook (ECMA-376 part 1), row by row.

What a workbook says of its size is held to bounds before anything is unpacked, and no more than it
says is unpacked. A cell is taken as the text that was put in; one whose text is made by whoever
shows it (a formula, a date, an error) is not text, and its row is refused.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final
from xml.parsers import expat

from registry.bulk.tables import BadRow, Cells, TableNotReadable

MAX_MEMBERS: Final = 10_000
#: Octets of all members unpacked; of the texts that cells share, which stay in memory.
MAX_UNPACKED: Final = 1 << 30
MAX_SHARED: Final = 128 << 20
#: Octets that one packed octet may become; XML packs well, but not like zeros.
MAX_RATIO: Final = 250
MAX_ROWS: Final = 1_048_576
MAX_COLUMNS: Final = 16_384
_CHUNK: Final = 1 << 16
_SHARED: Final = "xl/sharedStrings.xml"
_STYLES: Final = "xl/styles.xml"
#: Numbers of built-in formats that show dates and times, and what shows them in others.
_DATE_FORMATS: Final = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_DATE_LETTERS: Final = re.compile(r"[dmyhs]", re.IGNORECASE)
_NO_LETTERS: Final = re.compile(r'"[^"]*"|\\.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})[0-9]+")

_DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    KeyError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)

_Start = Callable[[str, dict[str, str]], None]
_Ended = Callable[[str, str], None]


def read_spreadsheet(path: Path) -> Iterator[Cells | BadRow | None]:
    """The rows of the first sheet from row 1 on, None for an empty one.

    Raises TableNotReadable.
    """
    try:
        with zipfile.ZipFile(path) as book:
            _check_size(book)
            shared = _shared_texts(book)
            dates = _date_styles(book)
            with book.open(_first_sheet(book)) as sheet:
                yield from _Sheet(shared, dates).rows(sheet)
    except _DAMAGED as error:
        raise TableNotReadable(f"not an XLSX workbook: {error}") from None
    except expat.ExpatError as error:
        raise TableNotReadable(f"the workbook is damaged: {error}") from None


def _check_size(book: zipfile.ZipFile) -> None:
    members = book.infolist()
    unpacked = sum(member.file_size for member in members)
    if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED:
        raise TableNotReadable(f"the workbook unpacks to {unpacked} octets: too many")
    for member in members:
        if member.file_size > _CHUNK and member.file_size > MAX_RATIO * member.compress_size:
            raise TableNotReadable(f"{member.filename} unpacks to more than {MAX_RATIO} times")


def _first_sheet(book: zipfile.ZipFile) -> str:
    sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
    if not sheets:
        raise TableNotReadable("the workbook has no sheet")
    return min(sheets, key=lambda name: (len(name), name))


def _parse(part: IO[bytes], start: _Start, ended: _Ended) -> Iterator[None]:
    """Feed a part to the handlers, and yield after each piece of it."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    texts: list[str] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        texts.clear()
        start(name.rpartition(" ")[2], attributes)

    def end(name: str) -> None:
        ended(name.rpartition(" ")[2], "".join(texts))
        texts.clear()

    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = texts.append
    parser.StartDoctypeDeclHandler = _refuse_doctype
    while octets := part.read(_CHUNK):
        parser.Parse(octets, False)
        yield
    parser.Parse(b"", True)
    yield


def _refuse_doctype(*_declaration: object) -> None:
    raise TableNotReadable("the workbook declares a document type: none has one")


def _shared_texts(book: zipfile.ZipFile) -> list[str]:
    """The texts that cells refer to; pieces of one in different scripts or colours are joined."""
    if _SHARED not in book.namelist():
        return []
    if book.getinfo(_SHARED).file_size > MAX_SHARED:
        raise TableNotReadable(f"the texts of the workbook have more than {MAX_SHARED} octets")
    texts: list[str] = []
    pieces: list[str] = []
    aloud = False  # inside of how to read it aloud, which is no part of the text

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal aloud
        aloud = aloud or name == "rPh"

    def ended(name: str, text: str) -> None:
        nonlocal aloud
        if name == "t" and not aloud:
            pieces.append(text)
        elif name == "rPh":
            aloud = False
        elif name == "si":
            texts.append("".join(pieces))
            pieces.clear()

    with book.open(_SHARED) as part:
        for _ in _parse(part, start, ended):
            pass
    return texts


def _date_styles(book: zipfile.ZipFile) -> set[str]:
    """The numbers of cell styles that show a number as a date or time."""
    if _STYLES not in book.namelist():
        return set()
    formats: dict[str, str] = {}
    styles: list[str] = []
    inside: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        inside.append(name)
        if name == "numFmt":
            formats[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "xf" and "cellXfs" in inside:
            styles.append(attributes.get("numFmtId", "0"))

    def ended(_name: str, _text: str) -> None:
        inside.pop()

    with book.open(_STYLES) as part:
        for _ in _parse(part, start, ended):
            pass
    return {str(at) for at, number in enumerate(styles) if _shows_date(number, formats)}


def _shows_date(number: str, formats: dict[str, str]) -> bool:
    if number in formats:
        return bool(_DATE_LETTERS.search(_NO_LETTERS.sub("", formats[number])))
    return number.isdigit() and int(number) in _DATE_FORMATS


class _Sheet:
    """Takes a sheet apart; at most the rows of one piece of it are in memory."""

    def __init__(self, shared: list[str], dates: set[str]) -> None:
        self._shared = shared
        self._dates = dates
        self._rows: list[Cells | BadRow | None] = []
        self._number = 0
        self._cells: list[str] = []
        self._bad: BadRow | None = None
        self._column = 0
        self._kind = self._style = self._value = ""
        self._formula = False

    def rows(self, part: IO[bytes]) -> Iterator[Cells | BadRow | None]:
        for _ in _parse(part, self._start, self._ended):
            yield from self._rows
            self._rows.clear()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self._start_row(attributes.get("r", ""))
        elif name == "c":
            self._column = self._place(attributes.get("r", ""))
            self._kind = attributes.get("t", "n")
            self._style = attributes.get("s", "0")
            self._value, self._formula = "", False

    def _start_row(self, number: str) -> None:
        wanted = int(number) if number.isdigit() and len(number) < 8 else self._number + 1
        if not self._number < wanted <= MAX_ROWS:
            raise TableNotReadable(f"row {number} of the sheet is out of order")
        self._rows += [None] * (wanted - self._number - 1)
        self._number, self._cells, self._bad = wanted, [], None

    def _place(self, reference: str) -> int:
        """The column of a cell, counted from 0."""
        found = _REFERENCE.fullmatch(reference)
        if found is None:
            return len(self._cells)
        column = 0
        for letter in found[1]:
            column = column * 26 + ord(letter) - ord("A") + 1
        if not len(self._cells) < column <= MAX_COLUMNS:
            raise TableNotReadable(f"cell {reference} is out of order")
        return column - 1

    def _ended(self, name: str, text: str) -> None:
        if name in ("v", "t"):
            self._value += text
        elif name == "f":
            self._formula = True
        elif name == "c":
            self._end_cell()
        elif name == "row":
            empty = not any(self._cells)
            self._rows.append(self._bad or (None if empty else self._cells))

    def _end_cell(self) -> None:
        self._cells += [""] * (self._column - len(self._cells))
        self._cells.append(self._text())

    def _text(self) -> str:
        value, kind = self._value, self._kind
        if self._formula:
            return self._refuse("formula", "a formula: put its result there as text")
        if kind == "e":
            return self._refuse("error", "an error")
        if kind == "n" and value and self._style in self._dates:
            return self._refuse("date", "a date: put it there as text")
        if kind == "s":
            known = value.isdigit() and int(value) < len(self._shared)
            return self._shared[int(value)] if known else self._refuse("text", "no text")
        return {"1": "true", "0": "false"}.get(value, value) if kind == "b" else value

    def _refuse(self, rule: str, what: str) -> str:
        if self._bad is None:
            message = f"column {self._column + 1} holds {what}"
            self._bad = BadRow(rule, message, self._column + 1)
        return ""
