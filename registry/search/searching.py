"""Search: identifiers by prefix, by how the suffix begins, by state, and by a value they have.

What is found comes in the order of keys, or, searched by value, in the order in which the index got
it; a page begins behind the last item of the one before. A page can be short, or empty, though
there is more: that happens where many identifiers had to be looked at in vain.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from registry.authorisation import GRANTS, Operation, Principal, Relation
from registry.errors import Unsupported
from registry.search.terms import TermRange, is_searched, term_range
from registry.storage.interface import ACTIVE, Row
from registry.storage.search_interface import Reach, Searchable
from registry.values.value import bounds

#: Identifiers read at a time, and most that one page looks at in vain.
_CHUNK: Final = 128
_IN_VAIN: Final = 2000


class Wanted(NamedTuple):
    """What is searched for: in `reaches`, which are in order and apart from one another, what
    `sees` lets pass by its prefix. `data` and `type` are octets; `type` and `index` need `data`."""

    reaches: Sequence[Reach]
    sees: Callable[[str], bool]
    state: int | None = None
    data: bytes | None = None
    type: bytes | None = None
    index: int | None = None  # type: ignore[assignment]  # hides tuple.index, which nobody needs


class Place(NamedTuple):
    """Where a search stands: behind this identifier, in a run of the index and at a term of it."""

    run: int
    term: int
    prefix: str
    suffix: str

    @property
    def key(self) -> tuple[str, str]:
        return self.prefix, self.suffix


class Found(NamedTuple):
    """A page, and where the next one begins (None: there is none)."""

    rows: list[Row]
    next: Place | None


_Candidates: TypeAlias = AsyncIterator[tuple[Place, Row]]


def reach_of(prefix: str, begins: str = "", *, below: bool = False) -> Reach:
    """The identifiers of a prefix whose suffix begins so; or all of those below it too, and some of
    those beside it, such as 88.901-1 of 88.901."""
    if begins:
        # No character comes behind this one.
        return Reach((prefix, begins), (prefix, begins + "\U0010ffff"))
    return Reach((prefix, ""), (prefix + ("/" if below else "\x01"), ""))


def reaches_of(principal: Principal) -> list[Reach]:
    """What holds everything that a principal may read."""
    below = (principal.role, Operation.READ, Relation.BELOW) in GRANTS
    apart: list[Reach] = []
    for reach in sorted(reach_of(own, below=below) for own in principal.prefixes):
        if not apart or reach.first >= apart[-1].end:
            apart.append(reach)
    return apart


async def search(reads: Searchable, wanted: Wanted, after: Place | None, limit: int) -> Found:
    """A page of at most `limit`. Raises Unsupported for values where no index is kept."""
    by_value = wanted.data is not None
    candidates = _by_value(reads, wanted, after) if by_value else _by_key(reads, wanted, after)
    rows: list[Row] = []
    last: Place | None = None
    in_vain = 0
    async for place, row in candidates:
        if not _fits(row, wanted):
            in_vain += 1
            if in_vain > _IN_VAIN:
                return Found(rows, place)
            continue
        if len(rows) == limit:
            return Found(rows, last)
        rows.append(row)
        last = place
    return Found(rows, None)


async def _walk(
    reaches: Sequence[Reach], read: Callable[[Reach], Awaitable[Sequence[Row]]], after: Place | None
) -> AsyncIterator[Row]:
    """What `read` finds in all of the reaches, which it is asked for _CHUNK by _CHUNK."""
    for reach in reaches:
        left = reach if after is None else reach.behind(after.key)
        while left.first < left.end:
            rows = await read(left)
            for row in rows:
                yield row
            if len(rows) < _CHUNK:
                break
            left = left.behind(rows[-1].key)


async def _by_key(reads: Searchable, wanted: Wanted, after: Place | None) -> _Candidates:
    state = wanted.state if wanted.state != ACTIVE else None
    listed = partial(reads.listed, state=state, limit=_CHUNK)
    async for row in _walk(wanted.reaches, listed, after):
        yield Place(0, 0, *row.key), row


async def _by_value(reads: Searchable, wanted: Wanted, after: Place | None) -> _Candidates:
    progress = await reads.search_progress()
    if progress is None:
        raise Unsupported("this node keeps no index of values")
    assert wanted.data is not None
    terms = term_range(wanted.data, wanted.type, progress.key)
    for run, _ in await reads.search_runs():
        if after is None or run >= after.run:
            first = after if after is not None and run == after.run else None
            async for found in _of_run(reads, wanted.reaches, run, terms, first):
                yield found


async def _of_run(
    reads: Searchable, reaches: Sequence[Reach], run: int, terms: TermRange, after: Place | None
) -> _Candidates:
    left = terms
    if after is not None:
        left = TermRange(max(terms.first, min(after.term, terms.last)), terms.last)
    while (term := await reads.next_term(run, left)) is not None:
        begun = after if after is not None and term == after.term else None
        with_term = partial(reads.with_term, run, term, limit=_CHUNK)
        async for row in _walk(reaches, with_term, begun):
            yield Place(run, term, *row.key), row
        left = TermRange(term + 1, terms.last)


def _fits(row: Row, wanted: Wanted) -> bool:
    if wanted.state not in (None, row.state) or not wanted.sees(row.prefix):
        return False
    return wanted.data is None or has_value(row.record, wanted.data, wanted.type, wanted.index)


def has_value(record: bytes, data: bytes, type_: bytes | None, index: int | None) -> bool:
    """Whether a record has a value that everybody may read with these data."""
    for start, type_end, data_end in bounds(record):
        if record[type_end + 4 : data_end] != data:
            continue
        its_type = record[start + 18 : type_end]
        if (
            is_searched(its_type, record[start + 13])
            and (type_ is None or its_type.upper() == type_.upper())
            and (index is None or int.from_bytes(record[start : start + 4], "big") == index)
        ):
            return True
    return False
