"""Rows of an upload in batches: each is decided as a whole, in one durable transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from registry.bulk.rows import RefusedRow, Row
from registry.errors import AlreadyExists, InvalidIdentifier, InvalidValue, NotConforming, Refusal
from registry.registration.loading import Added, Group

#: Lines in a batch, and octets of records after which it is full all the same.
MAX_LINES: Final = 2000
MAX_OCTETS: Final = 4 << 20
#: Characters of an identifier that are repeated to whoever sent it.
_MAX_ECHO: Final = 512

_encode: Final = msgspec.json.Encoder().encode


class Verdict(NamedTuple):
    """A line that was refused; `asked` is the identifier in it, None where none was found."""

    line: int
    asked: str | None
    refusal: Refusal


class _Rows:
    """The rows of a batch under one prefix: suffixes in order, each with the line it stands in."""

    __slots__ = ("asked", "lines", "records")

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self.asked: list[str] = []
        self.records: list[bytes] = []


class Batch:
    """Lines that are decided together, those behind `last_line` as they are added."""

    def __init__(self, last_line: int) -> None:
        self.first_line = last_line + 1
        self.last_line = last_line
        self.refused: list[Verdict] = []
        self._blank = 0
        self._octets = 0
        self._prefixes: dict[str, _Rows] = {}

    def __len__(self) -> int:
        """The number of lines, blank ones included."""
        return self.last_line - self.first_line + 1

    @property
    def rows(self) -> int:
        """The number of lines that are not blank."""
        return len(self) - self._blank

    @property
    def room(self) -> int:
        """How many more lines there may be in it."""
        return MAX_LINES - len(self)

    @property
    def full(self) -> bool:
        return len(self) >= MAX_LINES or self._octets >= MAX_OCTETS

    def add(self, row: Row) -> None:
        """Take in the next line; the second of two that name the same identifier is refused."""
        self.last_line += 1
        prefix, suffix, asked, record = row
        rows = self._prefixes.get(prefix)
        if rows is None:
            rows = self._prefixes[prefix] = _Rows()
        if suffix in rows.lines:
            first = rows.lines[suffix]
            self._refuse(asked, AlreadyExists(f"line {first} names the same identifier"))
            return
        rows.lines[suffix] = self.last_line
        rows.asked.append(asked)
        rows.records.append(record)
        self._octets += len(record)

    def refuse(self, refused: RefusedRow) -> None:
        """Take in the next line as one that is no row."""
        self.last_line += 1
        self._refuse(refused.asked, refused.refusal)

    def skip(self) -> None:
        """Take in the next line as one that nothing stands in."""
        self.last_line += 1
        self._blank += 1

    def groups(self) -> list[Group]:
        """The rows as they are to be added."""
        return [
            Group(prefix, list(rows.lines), rows.records) for prefix, rows in self._prefixes.items()
        ]

    def rows_of(self, found: Sequence[Collection[str]]) -> Iterator[tuple[int, Row]]:
        """The rows with these suffixes, given by group, and the lines they stand in."""
        for (prefix, rows), suffixes in zip(self._prefixes.items(), found, strict=True):
            if suffixes:
                taken = zip(rows.lines.items(), rows.asked, rows.records, strict=True)
                for (suffix, line), asked, record in taken:
                    if suffix in suffixes:
                        yield line, Row(prefix, suffix, asked, record)

    def _refuse(self, asked: str | None, refusal: Refusal) -> None:
        self.refused.append(Verdict(self.last_line, asked, refusal))


class Registers(Protocol):
    """What an upload is written to."""

    async def add(self, groups: Sequence[Group]) -> Sequence[Added]:
        """Add rows durably; by group, what was not added. Raises Refusal."""
        ...

    async def meet(self, rows: Sequence[Row]) -> Sequence[Refusal | None]:
        """Deal with rows whose identifiers are there; None where that is as good as adding them.

        Raises Refusal where that cannot be done.
        """
        ...


async def decide(batch: Batch, store: Registers) -> list[Verdict]:
    """Add the rows of a batch, durably; the lines that are refused, in order. Raises Refusal."""
    groups = batch.groups()
    added = await store.add(groups) if groups else []
    met = list(batch.rows_of([each.there for each in added]))
    refusals = await store.meet([row for _, row in met]) if met else ()
    refused = [
        Verdict(line, row.asked, refusal)
        for (line, row), refusal in zip(met, refusals, strict=True)
        if refusal is not None
    ]
    reasons = {
        (group.prefix, suffix): refusal
        for group, each in zip(groups, added, strict=True)
        for suffix, refusal in each.refused.items()
    }
    refused += [
        Verdict(line, row.asked, reasons[row.prefix, row.suffix])
        for line, row in batch.rows_of([each.refused for each in added])
    ]
    return sorted(batch.refused + refused, key=lambda verdict: verdict.line)


def verdict_lines(verdicts: Sequence[Verdict]) -> bytes:
    """Refused lines in the form of an answer."""
    return b"".join(_encode(_members(verdict)) + b"\n" for verdict in verdicts)


def committed_line(line: int) -> bytes:
    """The line of an answer that says how far it is decided and durable."""
    return b'{"committed_through":%d}\n' % line


def error_members(refusal: Refusal) -> dict[str, Any]:
    """A refusal as the member `error`: code and message, and which rule, field and value."""
    members: dict[str, Any] = {"code": refusal.outcome.slug, "message": str(refusal)}
    match refusal:
        case InvalidIdentifier(rule=rule):
            members |= {"field": "identifier", "rule": rule}
        case NotConforming(faults=[fault, *_]):
            members |= {"field": fault.item, "rule": fault.rule, "index": fault.index}
        case InvalidValue(field=field, index=index):
            members |= {"field": field, "rule": refusal.outcome.slug, "index": index}
    return {name: value for name, value in members.items() if value is not None}


def _members(verdict: Verdict) -> dict[str, Any]:
    asked = verdict.asked
    if asked is not None:
        asked = asked[:_MAX_ECHO].encode("utf-8", "replace").decode()
    return {"line": verdict.line, "identifier": asked, "error": error_members(verdict.refusal)}
