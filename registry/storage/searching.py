"""The index of terms (`registry.search.terms`) in statements that every SQL backend understands.

The terms of some ten thousand identifiers make a run. Terms are random numbers: in one tree for
all of them every identifier would be written to as many pages as it has terms, far apart. In a run,
which is filled before the next one begins, those pages are few; a search looks into each run.

Terms are added and never taken away: what an identifier was is among them until the index is made
anew. The tables are derived, and no part of a copy of the store.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, Final

from registry.schemes.handle import Key
from registry.search.terms import TermRange
from registry.storage.interface import ACTIVE, Row
from registry.storage.search_interface import Entered, Progress, Reach, Run, Told

#: Identifiers of a run.
RUN: Final = 65_536
_COLUMNS: Final = ", ".join(f"i.{name}" for name in Row._fields)
_WITHIN: Final = "({0}prefix, {0}suffix) >= (?, ?) AND ({0}prefix, {0}suffix) < (?, ?)"
_IN_ORDER: Final = "ORDER BY {0}prefix, {0}suffix LIMIT ?"

_LISTED: Final = f"SELECT {_COLUMNS} FROM identifiers AS i WHERE {_WITHIN} {_IN_ORDER}".format("i.")
_IN_STATE: Final = (
    f"SELECT {_COLUMNS} FROM identifiers AS i WHERE state = ? AND state <> {ACTIVE}"
    f" AND {_WITHIN} {_IN_ORDER}".format("i.")
)
_WITH_TERM: Final = (
    f"SELECT {_COLUMNS} FROM search_terms AS s"
    " JOIN identifiers AS i ON i.prefix = s.prefix AND i.suffix = s.suffix"
    f" WHERE s.run = ? AND s.term = ? AND {_WITHIN} {_IN_ORDER}".format("s.")
)
_NEXT_TERM: Final = "SELECT min(term) FROM search_terms WHERE run = ? AND term >= ? AND term <= ?"
_RUNS: Final = "SELECT run, identifiers FROM search_runs ORDER BY run"
_PROGRESS: Final = "SELECT key, through, prefix, suffix FROM search_progress"
_ENTRIES: Final = (
    "SELECT sequence, event, subject FROM audit_log WHERE sequence > ? ORDER BY sequence LIMIT ?"
)
_BACKLOG: Final = "SELECT suffixes FROM search_backlog WHERE entry = ?"
_NEWER: Final = "SELECT max(sequence) FROM audit_log"

_KEPT: Final = (
    "SELECT 1 FROM search_runs AS r JOIN search_terms AS s ON s.run = r.run"
    " AND s.term = ? AND s.prefix = ? AND s.suffix = ? LIMIT 1"
)
_FILL: Final = (
    "INSERT INTO search_runs (run, identifiers) VALUES (?, ?)"
    " ON CONFLICT (run) DO UPDATE SET identifiers = search_runs.identifiers + excluded.identifiers"
)
_SET_PROGRESS: Final = (
    "INSERT INTO search_progress (one, key, through, prefix, suffix) VALUES (1, ?, ?, ?, ?)"
    " ON CONFLICT (one) DO UPDATE SET key = excluded.key, through = excluded.through,"
    " prefix = excluded.prefix, suffix = excluded.suffix"
)
_REMEMBER: Final = "INSERT INTO search_backlog (entry, suffixes) VALUES (?, ?)"
_FORGET: Final = "DELETE FROM search_backlog WHERE entry <= ?"
_TABLES: Final = ("search_terms", "search_runs", "search_backlog", "search_progress")
#: What no suffix has in it.
_BETWEEN: Final = "\n"


class SearchReads(ABC):
    """What a search asks, and whoever keeps the index."""

    @abstractmethod
    async def _all(self, query: str, *parameters: object) -> Sequence[Any]: ...

    async def listed(self, reach: Reach, state: int | None, limit: int) -> list[Row]:
        """Identifiers in key order, in whatever state, or in one that is not ACTIVE."""
        if state is None:
            found = await self._all(_LISTED, *reach.first, *reach.end, limit)
        else:
            found = await self._all(_IN_STATE, state, *reach.first, *reach.end, limit)
        return [Row._make(row) for row in found]

    async def with_term(self, run: int, term: int, reach: Reach, limit: int) -> list[Row]:
        """Identifiers that had a term once, in key order."""
        found = await self._all(_WITH_TERM, run, term, *reach.first, *reach.end, limit)
        return [Row._make(row) for row in found]

    async def next_term(self, run: int, terms: TermRange) -> int | None:
        """The first term of a run in a range."""
        term: int | None = (await self._all(_NEXT_TERM, run, *terms))[0][0]
        return term

    async def search_runs(self) -> list[Run]:
        return [Run._make(row) for row in await self._all(_RUNS)]

    async def search_progress(self) -> Progress | None:
        """How far the index is, None where there is none."""
        found = await self._all(_PROGRESS)
        return _progress(found[0]) if found else None

    async def last_entry(self) -> int:
        """The number of the last entry of the audit log."""
        return (await self._all(_NEWER))[0][0] or 0

    async def told(self, after: int, limit: int) -> list[Told]:
        """What the audit log says behind an entry."""
        return [Told._make(row) for row in await self._all(_ENTRIES, after, limit)]

    async def batch(self, entry: int) -> list[str] | None:
        """The suffixes of a batch, None where they were not remembered."""
        found = await self._all(_BACKLOG, entry)
        return found[0][0].decode().split(_BETWEEN) if found else None


class SearchWrites(ABC):
    """What is written of the index, in a transaction."""

    @abstractmethod
    async def _run(self, statement: str, parameters: tuple[Any, ...]) -> Any: ...

    @abstractmethod
    async def _enter(self, terms: Sequence[tuple[int, int, str, str]]) -> None:
        """Add run, term, prefix and suffix where they are not there."""

    async def remember_batch(self, entry: int, suffixes: Iterable[str]) -> None:
        """Keep which identifiers a batch has, until they are in the index."""
        await self._run(_REMEMBER, (entry, _BETWEEN.join(suffixes).encode()))

    async def search_progress(self) -> Progress | None:
        """As `SearchReads.search_progress`, with what this transaction has done."""
        found = list(await self._run(_PROGRESS, ()))
        return _progress(found[0]) if found else None

    async def enter(self, terms: Sequence[Entered]) -> None:
        """Add terms; those of identifiers that had others before only if no run has them."""
        if not terms:
            return
        runs = [Run._make(row) for row in await self._run(_RUNS, ())]
        last = runs[-1] if runs else Run(0, 0)
        run = last.run if last.identifiers < RUN else last.run + 1
        new = [each for each in terms if each.is_first or not await self._has(each)]
        await self._enter(sorted((run, each.term, *each.key) for each in new))
        await self._run(_FILL, (run, len({each.key for each in new})))

    async def _has(self, entered: Entered) -> bool:
        return bool(list(await self._run(_KEPT, (entered.term, *entered.key))))

    async def set_search_progress(self, progress: Progress) -> None:
        """Say how far the index is; batches up to there need not be remembered any longer."""
        at = (None, None) if progress.at is None else progress.at
        await self._run(_SET_PROGRESS, (progress.key, progress.through, *at))
        await self._run(_FORGET, (progress.through,))

    async def drop_search_index(self) -> None:
        for table in _TABLES:
            await self._run(f"DELETE FROM {table}", ())


def _progress(row: Sequence[Any]) -> Progress:
    key, through, prefix, suffix = row
    return Progress(key, through, None if prefix is None else Key(prefix, suffix))
