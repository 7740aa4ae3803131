"""Where each key of a TOML text stands, for messages. The TOML parser does not tell.

It knows headers and keys that begin a line, which is how topologies are written; a key inside an
inline table is found at the line of the key that holds the table.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

_HEADER: Final = re.compile(r"\s*(\[\[?)\s*([\w.\-]+)\s*\]")
_KEY: Final = re.compile(r"\s*([\w.\-]+)\s*=")


def key_lines(text: str) -> dict[str, int]:
    """Line numbers from 1 by path, as in `node[3].prefix`."""
    lines: dict[str, int] = {}
    tables: Counter[str] = Counter()
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _resolve(header[2], tables, opens_table=header[1] == "[[")
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault(f"{table}.{key[1]}" if table else key[1], number)
    return lines


def _resolve(header: str, tables: Counter[str], *, opens_table: bool) -> str:
    """The path of a header: each array of tables on the way means its latest table."""
    path = ""
    names = header.split(".")
    for position, name in enumerate(names):
        path = f"{path}.{name}" if path else name
        if opens_table and position == len(names) - 1:
            tables[path] += 1
        if path in tables:
            path = f"{path}[{tables[path] - 1}]"
    return path


def line_of(key: str, lines: dict[str, int]) -> int | None:
    """The line of a key, or of the nearest thing around it."""
    while key and key not in lines:
        key = key[: max(key.rfind("."), key.rfind("["), 0)]
    return lines.get(key)
