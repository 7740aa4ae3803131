"""What a node keeps besides identifiers: accounts, enterprises, prefixes, templates, limits.

Each kind is a NamedTuple with a table of the same columns. There are thousands of them, not
millions, and none is on the way of a resolution: so they share a few plain statements. A column
marked `json` holds a field that is not a text, a number or octets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, TypeVar

import msgspec

from registry.storage.schema import DOSSIERS


class Dossier(Protocol):
    """A NamedTuple whose class is a key of `schema.DOSSIERS`."""

    def _asdict(self) -> dict[str, Any]: ...


D = TypeVar("D", bound=Dossier)
#: What a column has to be equal to.
Having: TypeAlias = Mapping[str, "str | int | bytes"]


class Page(NamedTuple):
    """Which of those found: `limit` of them behind the one with the key `after`, in key order."""

    after: Sequence[str | int | bytes] = ()
    limit: int = 1000


WHOLE: Final = Page(limit=1_000_000)
#: Most keys in one query.
AT_ONCE: Final = 200


@cache
def finding(kind: type[Any], having: tuple[str, ...], keyed: int) -> str:
    """The query for dossiers of a kind, with `?` for each column in `having`, for the `keyed`
    columns of the key to begin behind, and for the limit."""
    table = DOSSIERS[kind]
    known = set(table.columns.keys())
    assert known.issuperset(having), f"{table.name} has no columns {having}"
    key = [column.name for column in table.primary_key.columns]
    conditions = [f"{name} = ?" for name in having]
    if keyed:
        conditions.append(f"({', '.join(key[:keyed])}) > ({', '.join('?' * keyed)})")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    fields, order = ", ".join(_fields(kind)), ", ".join(key)
    return f"SELECT {fields} FROM {table.name}{where} ORDER BY {order} LIMIT ?"


def parameters(having: Having, page: Page) -> tuple[str | int | bytes, ...]:
    """What stands for the `?` of `finding`."""
    return (*having.values(), *page.after, page.limit)


@cache
def fetching(kind: type[Any], count: int) -> str:
    """The query for the dossiers with `count` keys; `?` for each column of each."""
    table = DOSSIERS[kind]
    key = " AND ".join(f"{column.name} = ?" for column in table.primary_key.columns)
    # A list of rows behind IN would be nicer to read, and SQLite reads the whole table for it.
    keys = " OR ".join([f"({key})"] * count)
    return f"SELECT {', '.join(_fields(kind))} FROM {table.name} WHERE {keys}"


@cache
def filing(kind: type[Any]) -> str:
    """The statement that adds a dossier, or replaces the one with its key; `?` for each column."""
    table, fields = DOSSIERS[kind], _fields(kind)
    key = {column.name for column in table.primary_key.columns}
    marks = ", ".join("?" * len(fields))
    rest = ", ".join(f"{name} = excluded.{name}" for name in fields if name not in key)
    replace = f"DO UPDATE SET {rest}" if rest else "DO NOTHING"
    return (
        f"INSERT INTO {table.name} ({', '.join(fields)}) VALUES ({marks})"
        f" ON CONFLICT ({', '.join(sorted(key))}) {replace}"
    )


@cache
def discarding(kind: type[Any]) -> str:
    """The statement that removes a dossier; `?` for each column of its key."""
    table = DOSSIERS[kind]
    conditions = " AND ".join(f"{column.name} = ?" for column in table.primary_key.columns)
    return f"DELETE FROM {table.name} WHERE {conditions}"


def row_of(dossier: Dossier) -> tuple[Any, ...]:
    """A dossier as its table has it."""
    columns = DOSSIERS[type(dossier)].columns
    return tuple(
        msgspec.json.encode(value).decode() if columns[name].info.get("json") else _plain(value)
        for name, value in dossier._asdict().items()
    )


def key_of(dossier: Dossier) -> tuple[Any, ...]:
    """The key of a dossier, in the order of its columns."""
    found = dossier._asdict()
    columns = DOSSIERS[type(dossier)].primary_key.columns
    return tuple(_plain(found[column.name]) for column in columns)


def dossiers_of(kind: type[D], rows: Iterable[Sequence[Any]]) -> list[D]:
    """Rows of a table as dossiers."""
    readers = [
        msgspec.json.decode if column.info.get("json") else _same
        for column in map(DOSSIERS[kind].columns.__getitem__, _fields(kind))
    ]
    return [
        msgspec.convert([read(each) for read, each in zip(readers, row, strict=True)], kind)
        for row in rows
    ]


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value, builtin_types=(bytes,))


def _same(value: Any) -> Any:
    return value


def _fields(kind: type[Any]) -> Sequence[str]:
    """The columns in the order of the NamedTuple."""
    fields: Sequence[str] = kind._fields
    return fields
