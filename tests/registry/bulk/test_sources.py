"""Files as lines of an upload: a line for each row, or why there is none."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from registry.bulk.mapping import NoSuchMapping
from registry.bulk.rows import RefusedRow
from registry.bulk.sources import Line, ndjson_lines, serial_lines, table_lines
from registry.bulk.tables import TableNotReadable
from tests.support.workbook import text, workbook

PREFIX = "88.901.7"


def shown(lines: Iterable[Line]) -> list[Any]:
    """Lines as (suffix, values by index), refusals as their text."""
    return [
        str(line.refusal) if isinstance(line, RefusedRow) else line and _contents(json.loads(line))
        for line in lines
    ]


def _contents(line: dict[str, Any]) -> tuple[str, dict[int, tuple[str, Any]]]:
    values = {value["index"]: (value["type"], value["data"]) for value in line["values"]}
    return line["identifier"].removeprefix(f"{PREFIX}/"), values


def table(path: Path, kind: str = "csv", **asked: str) -> list[Any]:
    return shown(table_lines(path, kind, PREFIX, asked))


class TestCsv:
    def test_columns_that_are_called_so(self, tmp_path: Path) -> None:
        path = tmp_path / "list.csv"
        path.write_text('\ufeffsuffix,1:URL,2:品名\nA,u,酒\n\n"B","v\nw",\n', encoding="utf-8")
        assert table(path) == [
            None,
            ("A", {1: ("URL", "u"), 2: ("品名", "酒")}),
            None,
            ("B", {1: ("URL", "v\nw")}),
        ]

    def test_columns_that_are_mapped(self, tmp_path: Path) -> None:
        path = tmp_path / "list.csv"
        path.write_text("Nummer,Adresse,x\nA,u,1\n", encoding="utf-8")
        lines = table_lines(path, "csv", PREFIX, {"1": "suffix", "Adresse": "1:URL"})
        assert lines.unused == ["x"]
        assert shown(lines) == [None, ("A", {1: ("URL", "u")})]

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            (b"A,u,more", "3 cells under 2 columns"),
            (b",u", "the identifier is empty"),
            (b"A", "the row has no values"),
            (b"A,\xff\xfe", "column 2 is not UTF-8 (utf-8)"),
        ],
    )
    def test_bad_rows(self, row: bytes, said: str, tmp_path: Path) -> None:
        path = tmp_path / "list.csv"
        path.write_bytes(b"suffix,1:URL\n" + row + b"\nB,v\n")
        assert table(path) == [None, said, ("B", {1: ("URL", "v")})]

    def test_a_cell_without_end(self, tmp_path: Path) -> None:
        path = tmp_path / "list.csv"
        path.write_bytes(b'suffix,1:URL\nA,"' + b"x\n" * 2_000_000)
        assert "field larger than field limit" in table(path)[1]

    @pytest.mark.parametrize(
        "header", ["suffix,URL", "a,1:URL", "suffix,identifier,1:URL", "suffix,suffix,1:URL"]
    )
    def test_columns_that_say_too_little(self, header: str, tmp_path: Path) -> None:
        path = tmp_path / "list.csv"
        path.write_text(header)
        with pytest.raises(NoSuchMapping):
            table(path)

    def test_an_empty_file(self, tmp_path: Path) -> None:
        path = tmp_path / "list.csv"
        path.touch()
        with pytest.raises(TableNotReadable):
            table(path)


class TestWorkbook:
    def test_cells_of_all_kinds(self, tmp_path: Path) -> None:
        rows = text("suffix", "1:URL", "2:N") + (
            '<row r="3"><c r="A3" t="s"><v>0</v></c><c r="B3"><v>007.50</v></c></row>'
            '<row><c r="A4" t="inlineStr"><is><t>B</t></is></c>'
            '<c r="C4" s="3"><v>12</v></c><c r="D4" t="b"/></row>'
        ).replace('<c r="D4" t="b"/>', "")
        shared = "<si><r><t>A</t></r><r><t>-1</t></r><rPh><t>aloud</t></rPh></si>"
        path = workbook(tmp_path / "list.xlsx", rows, shared)
        assert table(path, "xlsx") == [
            None,
            None,
            ("A-1", {1: ("URL", "007.50")}),
            ("B", {2: ("N", "12")}),
        ]

    @pytest.mark.parametrize(
        ("cell", "rule"),
        [
            ("<c><f>1+1</f><v>2</v></c>", "formula"),
            ('<c t="str"><f>A1</f><v>x</v></c>', "formula"),
            ('<c s="1"><v>45000</v></c>', "date"),
            ('<c s="2"><v>45000</v></c>', "date"),
            ('<c t="e"><v>#REF!</v></c>', "error"),
            ('<c t="s"><v>9</v></c>', "text"),
        ],
    )
    def test_what_is_not_text(self, cell: str, rule: str, tmp_path: Path) -> None:
        bad = f'<row><c t="inlineStr"><is><t>A</t></is></c>{cell}</row>'
        path = workbook(tmp_path / "list.xlsx", text("suffix", "1:URL") + bad + text("B", "v"))
        _, said, good = table(path, "xlsx")
        assert f"({rule})" in said
        assert good == ("B", {1: ("URL", "v")})

    def test_a_bomb_is_not_unpacked(self, tmp_path: Path) -> None:
        rows = text("suffix", "1:URL") + text("A", "x" * 50_000_000)
        with pytest.raises(TableNotReadable, match="unpacks to more"):
            table(workbook(tmp_path / "list.xlsx", rows), "xlsx")

    def test_a_declared_type_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "list.xlsx"
        with zipfile.ZipFile(path, "w") as book:
            bomb = '<!DOCTYPE a [<!ENTITY b "bbbb">]><worksheet>&b;</worksheet>'
            book.writestr("xl/worksheets/sheet1.xml", bomb)
        with pytest.raises(TableNotReadable, match="document type"):
            table(path, "xlsx")

    @pytest.mark.parametrize("octets", [b"", b"PK\x03\x04", b"no workbook", b"x" * 5000])
    def test_what_is_no_workbook(self, octets: bytes, tmp_path: Path) -> None:
        path = tmp_path / "list.xlsx"
        path.write_bytes(octets)
        with pytest.raises(TableNotReadable):
            table(path, "xlsx")

    @pytest.mark.parametrize("rows", ['<row r="2"/><row r="1"/>', '<row r="9999999"/>', "<row>"])
    def test_rows_out_of_order(self, rows: str, tmp_path: Path) -> None:
        path = workbook(tmp_path / "list.xlsx", text("suffix", "1:URL") + rows)
        with pytest.raises(TableNotReadable):
            table(path, "xlsx")


def test_lines_of_json(tmp_path: Path) -> None:
    path = tmp_path / "list.ndjson"
    values = b'"values":[{"index":1,"type":"URL","data":"u"}]'
    path.write_bytes(
        b'{"suffix":"A",' + values + b"}\r\n\n{\n"
        b'{"identifier":"88.901.7/B",'
        + values
        + b'}\n{"identifier":"88.901.8/C",'
        + values
        + b"}\n"
        b"{" + values + b"}"
    )
    lines = shown(ndjson_lines(path, PREFIX))
    assert lines[0] == ("A", {1: ("URL", "u")})
    assert (lines[1], lines[3]) == (None, ("B", {1: ("URL", "u")}))
    assert "not the JSON" in lines[2]
    assert lines[4:] == ["not under prefix 88.901.7", "identifier or suffix is missing"]


def test_serial_numbers() -> None:
    values = [{"index": 1, "type": "URL", "data": "https://example.org/{suffix}?n={number}"}]
    lines = shown(serial_lines(PREFIX, "BOT-{:04d}", range(9, 11), values))
    assert lines == [
        ("BOT-0009", {1: ("URL", "https://example.org/BOT-0009?n=9")}),
        ("BOT-0010", {1: ("URL", "https://example.org/BOT-0010?n=10")}),
    ]
