"""`Reads` on any SQL backend: what differs is how a query gets to the database."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from typing import Any

from registry.audit.log import Checkpoint, Entry
from registry.authorisation import Principal, Role
from registry.schemes.handle import PREFIX_RECORDS, Key
from registry.storage import dossiers as files
from registry.storage import queries
from registry.storage.dossiers import WHOLE, D, Page
from registry.storage.interface import Past, Row
from registry.storage.searching import SearchReads


class SqlReads(SearchReads):
    """`Reads` in the queries that every backend understands."""

    @abstractmethod
    async def _all(self, query: str, *parameters: object) -> Sequence[Any]:
        """The rows of a query of `registry.storage.queries`. Raises StorageUnavailable."""

    @abstractmethod
    async def rows(self, keys: Sequence[Key]) -> list[Row]: ...

    @abstractmethod
    async def _at(self, prefix: str, positions: Sequence[int]) -> list[Key]:
        """The counted keys of a prefix at ascending positions of the key order."""

    @abstractmethod
    async def close(self) -> None: ...

    async def record(self, prefix: str, suffix: str) -> bytes | None:
        found = await self._all(queries.RECORD, prefix, suffix)
        return found[0][0] if found else None

    async def row(self, prefix: str, suffix: str) -> Row | None:
        found = await self._all(queries.ROW, prefix, suffix)
        return Row._make(found[0]) if found else None

    async def state(self, prefix: str, suffix: str) -> int | None:
        found = await self._all(queries.STATE, prefix, suffix)
        return found[0][0] if found else None

    async def versions(self, prefix: str, suffix: str) -> list[Past]:
        width = len(Row._fields)
        found = await self._all(queries.VERSIONS, prefix, suffix, prefix, suffix)
        return [_past(Row._make(row[:width]), *row[width:]) for row in found]

    async def entries(self, about: str | None, before: int, limit: int) -> list[Entry]:
        if about is None:
            found = await self._all(queries.ENTRIES, before, limit)
        else:
            found = await self._all(queries.ENTRIES_ABOUT, about, before, limit)
        return [Entry._make(row) for row in found]

    async def has_history(self, prefix: str) -> bool:
        return bool(await self._all(queries.HISTORY, prefix))

    async def checkpoints(self, node: str) -> list[Checkpoint]:
        return [Checkpoint._make(row) for row in await self._all(queries.CHECKPOINTS, node)]

    async def page(self, prefix: str, after: str | None = None, limit: int = 500) -> list[Row]:
        query = queries.FIRST_PAGE if after is None else queries.NEXT_PAGE
        return [Row._make(row) for row in await self._all(query, prefix, after or "", limit)]

    async def scan(self, prefix: str, page_size: int = 500) -> AsyncIterator[Row]:
        page = await self.page(prefix, limit=page_size)
        while page:
            for row in page:
                yield row
            page = await self.page(prefix, page[-1].suffix, page_size)

    async def homed_prefixes(self) -> list[str]:
        return [prefix for (prefix,) in await self._all(queries.HOMED)]

    async def counts(self) -> dict[str, int]:
        rows: Sequence[tuple[str, int]] = await self._all(queries.COUNTS)
        return dict(rows)

    async def sample(self, count: int, prefixes: Sequence[str] | None = None) -> list[Key]:
        counts = await self.counts()
        counts.pop(PREFIX_RECORDS, None)
        if prefixes is not None:
            counts = {prefix: counts[prefix] for prefix in prefixes if prefix in counts}
        keys: list[Key] = []
        for prefix, positions in _spread(counts, count).items():
            keys += await self._at(prefix, positions)
        return keys

    async def fact(self, key: str) -> str | None:
        found = await self._all(queries.FACT, key)
        return found[0][0] if found else None

    async def principal(self, digest: bytes, now: int) -> Principal | None:
        found = await self._all(queries.PRINCIPAL, digest, now)
        if not found:
            return None
        username, role, own, enterprise, _ = found[0]
        prefixes = dict.fromkeys((own, *(row[4] for row in found)))
        return Principal(username, Role(role), tuple(filter(None, prefixes)), enterprise)

    async def limits_registrations(self) -> bool:
        return bool(await self._all(queries.LIMITED))

    async def dossiers(
        self, kind: type[D], page: Page = WHOLE, **having: str | int | bytes
    ) -> list[D]:
        query = files.finding(kind, tuple(having), len(page.after))
        return files.dossiers_of(kind, await self._all(query, *files.parameters(having, page)))


def _past(
    row: Row, made: int | None, made_by: str | None, ended: int | None, ended_by: str | None
) -> Past:
    """A version that the audit log says nothing of was made when its row says so."""
    return Past(row, row.modified * 1000 if made is None else made, made_by or "", ended, ended_by)


def _spread(counts: dict[str, int], count: int) -> dict[str, list[int]]:
    """Evenly spaced positions in the line of all counted identifiers, told by prefix."""
    total = sum(counts.values())
    wanted = iter(sorted({number * total // count for number in range(count)} if total else ()))
    spread: dict[str, list[int]] = {}
    position, start = next(wanted, total), 0
    for prefix, size in counts.items():
        while position < start + size:
            spread.setdefault(prefix, []).append(position - start)
            position = next(wanted, total)
        start += size
    return spread
