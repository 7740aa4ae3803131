"""Whether a store and its audit log say the same: every row has its entry, every entry its rows.

An entry makes one row, or for a batch as many as it says, or none; and it ends the one row whose
digest it gives as `before`. Rows that were ended are in the archive, all others are what
identifiers are now. So nothing can be changed, added or taken away in either without the other
showing it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Final, Generic, Protocol, TypeVar

from registry.audit.log import Entry, Event, Fault, Finding, Sealed, batch_root, record_digest
from registry.registration.lifecycle import State
from registry.storage.interface import Ended, Row

T = TypeVar("T", Row, Ended)

#: The state that an identifier is in behind an event.
_STATES: Final[dict[str, State]] = {
    Event.IDENTIFIER_RESERVED: State.RESERVED,
    Event.IDENTIFIER_CREATED: State.ACTIVE,
    Event.IDENTIFIER_CHANGED: State.ACTIVE,
    Event.IDENTIFIER_HELD: State.ON_HOLD,
    Event.IDENTIFIER_RELEASED: State.ACTIVE,
    Event.IDENTIFIER_REVOKED: State.REVOKED,
    Event.IDENTIFIER_RESTORED: State.ACTIVE,
    Event.BATCH_REGISTERED: State.ACTIVE,
}
#: What the events begin with whose digests are of the records of identifiers.
_OF_IDENTIFIERS: Final = "identifier:"


class Books(Protocol):
    """A store as it is at one moment."""

    def entries(self) -> Iterator[Sealed]:
        """The audit log from its first entry on."""
        ...

    def made(self) -> Iterator[Row]:
        """All rows, archived ones included, by entry, prefix and suffix."""
        ...

    def ended(self) -> Iterator[Ended]:
        """The archived rows by the entry that ended them."""
        ...


def check_rows(books: Books) -> Iterator[Finding]:
    """Everything in which the rows and the log differ, in the order of the log."""
    made = _Grouped(books.made(), "entry")
    ended = _Grouped(books.ended(), "ended")
    for entry, _ in books.entries():
        yield from made.unknown(entry.sequence)
        yield from ended.unknown(entry.sequence)
        if fault := _made_wrong(entry, made.at(entry.sequence)):
            yield Finding(Fault.ROWS, entry.sequence, fault)
        if fault := _ended_wrong(entry, ended.at(entry.sequence)):
            yield Finding(Fault.ROWS, entry.sequence, fault)
    yield from made.unknown(None)
    yield from ended.unknown(None)


def _made_wrong(entry: Entry, rows: list[Row]) -> str | None:
    batch = entry.event == Event.BATCH_REGISTERED
    expected = entry.size if batch else int(_about_a_row(entry) and bool(entry.after))
    if len(rows) != expected:
        return f"{entry.subject}: {len(rows)} rows for {expected}"
    for row in rows:
        subject = row.prefix if batch else str(row.key)
        if subject != entry.subject:
            return f"{row.key} stands for {entry.subject}"
        if row.state != _STATES.get(entry.event) or row.modified != entry.time // 1000:
            return f"{row.key}: its state or time is not the one noted"
    if batch and batch_root(entry.subject, (row[1:3] for row in rows)) != entry.after:
        return f"{entry.subject}: the rows of the batch are not those noted"
    if rows and not batch and record_digest(rows[0].record) != entry.after:
        return f"{entry.subject}: the record is not the one noted"
    return None


def _about_a_row(entry: Entry) -> bool:
    """Whether the digests of an entry are those of identifiers, and not of accounts or the like."""
    return entry.event.startswith(_OF_IDENTIFIERS)


def _ended_wrong(entry: Entry, rows: list[Ended]) -> str | None:
    expected = int(_about_a_row(entry) and bool(entry.before))
    if len(rows) != expected:
        return f"{entry.subject}: {len(rows)} archived rows for {expected}"
    for row in rows:
        if f"{row.prefix}/{row.suffix}" != entry.subject:
            return f"{row.prefix}/{row.suffix} is archived for {entry.subject}"
        if record_digest(row.record) != entry.before:
            return f"{entry.subject}: the archived record is not the one noted"
    return None


class _Grouped(Generic[T]):
    """Rows in ascending order of a number, handed out by it."""

    def __init__(self, rows: Iterable[T], number: str) -> None:
        self._groups: Iterator[tuple[int, Iterator[T]]] = groupby(rows, attrgetter(number))
        self._next: tuple[int, list[T]] | None = self._read()

    def _read(self) -> tuple[int, list[T]] | None:
        for number, rows in self._groups:
            return number, list(rows)
        return None

    def unknown(self, number: int | None) -> Iterator[Finding]:
        """What is wrong with the rows left below a number, or all: there is no entry for them."""
        while self._next is not None and (number is None or self._next[0] < number):
            missing, rows = self._next
            first = f"{rows[0].prefix}/{rows[0].suffix}"
            detail = f"{len(rows)} rows without an entry, {first} the first"
            yield Finding(Fault.ROWS, missing, detail)
            self._next = self._read()

    def at(self, number: int) -> list[T]:
        """The rows with the number."""
        if self._next is None or self._next[0] != number:
            return []
        rows = self._next[1]
        self._next = self._read()
        return rows
