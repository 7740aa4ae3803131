"""Small XLSX workbooks, made by hand."""

from __future__ import annotations

import zipfile
from pathlib import Path

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
#: Style 1 shows a number as a date by a built-in format, style 2 by one of its own; 3 is money.
_STYLES = (
    f"<styleSheet {_MAIN}><numFmts>"
    '<numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;"/>'
    '<numFmt numFmtId="165" formatCode="[Red]#,##0&quot; days&quot;"/>'
    '</numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/>'
    '<xf numFmtId="165"/></cellXfs></styleSheet>'
)


def workbook(path: Path, rows: str, shared: str = "", **more: bytes) -> Path:
    """A workbook whose sheet holds these `<row>` elements, with `<si>` elements to share."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        sheet = f"<worksheet {_MAIN}><sheetData>{rows}</sheetData></worksheet>"
        book.writestr("xl/worksheets/sheet1.xml", sheet)
        book.writestr("xl/sharedStrings.xml", f"<sst {_MAIN}>{shared}</sst>")
        book.writestr("xl/styles.xml", _STYLES)
        for name, octets in more.items():
            book.writestr(name, octets)
    return path


def text(*cells: str) -> str:
    """A row of cells of text."""
    inner = "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)
    return f"<row>{inner}</row>"
