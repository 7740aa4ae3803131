"""`GET /v1/identifiers`: identifiers by prefix, suffix, state, or by a value that they have."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from registry.authorisation import Operation, may
from registry.errors import InvalidValue
from registry.http.endpoints import Call, Endpoint, Reply
from registry.http.forms import StateName, Time, state_name
from registry.http.identifiers import TAG
from registry.http.paging import PageQuery, make_cursor, read_cursor
from registry.prefixes.allocations import Allocation
from registry.registration.lifecycle import State
from registry.schemes.handle import MAX_LENGTH, HandleRules, ascii_upper
from registry.search.searching import Place, Wanted, reach_of, reaches_of, search
from registry.storage.interface import Reads, Row
from registry.storage.search_interface import Reach
from registry.values.json_form import iso_time

_TEXT: Final = r"^[^\x00-\x1f\x7f-\x9f]*$"
_PLACE: Final = re.compile(_TEXT)
#: Characters of a value that is searched for: a request target has 8,190 octets at most.
_MAX_VALUE: Final = 600
_MAX_INDEX: Final = 0x7FFF_FFFF


class SearchQuery(PageQuery, kw_only=True):
    """What is searched for; everything that is given has to hold.

    `prefix` is meant exactly; `suffix_begins` needs it. `enterprise` is a number: its prefixes are
    meant. `value` is text that a value has as its data, of any type and index unless `type` (the
    name of a template's item, say) and `index` say more.
    """

    prefix: Annotated[str, Meta(min_length=1, max_length=MAX_LENGTH, pattern=_TEXT)] | None = None
    suffix_begins: Annotated[str, Meta(max_length=MAX_LENGTH, pattern=_TEXT)] = ""
    enterprise: Annotated[str, Meta(min_length=1, max_length=64, pattern=_TEXT)] | None = None
    state: StateName | None = None
    value: Annotated[str, Meta(max_length=_MAX_VALUE)] | None = None
    type: Annotated[str, Meta(min_length=1, max_length=MAX_LENGTH)] | None = None
    index: Annotated[int, Meta(ge=1, le=_MAX_INDEX)] | None = None


class FoundIdentifier(Struct):
    """An identifier that was found; `GET /v1/identifiers/{identifier}` shows its values."""

    identifier: str
    state: StateName
    version: int
    modified: Time


class SearchPage(Struct):
    """A page; it can be short though there is more. Searched by a value, `indexed_through` is the
    last entry of the audit log that the index has, and `complete` whether that is the last one."""

    items: list[FoundIdentifier]
    next_cursor: str | UnsetType = UNSET
    indexed_through: int | UnsetType = UNSET
    complete: bool | UnsetType = UNSET


class Search:
    """Finds identifiers; whoever asks finds what they may read, and nothing tells of the rest."""

    def __init__(self, reads: Reads, rules: HandleRules) -> None:
        self._reads = reads
        self._rules = rules

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                "GET",
                "/v1/identifiers",
                "search-identifiers",
                "Identifiers by prefix, suffix, state, or by a value that they have",
                self._search,
                Operation.READ,
                query=SearchQuery,
                answers={200: SearchPage},
                tag=TAG,
            )
        ]

    async def _search(self, call: Call) -> Reply:
        query: SearchQuery = call.query
        wanted = await self._wanted(call, query)
        found = await search(self._reads, wanted, _place(query.cursor), query.limit)
        page = SearchPage([_item(row) for row in found.rows])
        if found.next is not None:
            page.next_cursor = make_cursor(found.next)
        if wanted.data is not None:
            progress = await self._reads.search_progress()
            made = progress is not None and progress.at is None
            page.indexed_through = progress.through if made and progress is not None else 0
            page.complete = made and page.indexed_through == await self._reads.last_entry()
        return Reply(body=page)

    async def _wanted(self, call: Call, query: SearchQuery) -> Wanted:
        """Raises InvalidValue for parameters that mean nothing alone, NotFound, NotPermitted."""
        for name, needed in (("type", "value"), ("index", "value"), ("suffix_begins", "prefix")):
            if getattr(query, name) and getattr(query, needed) is None:
                raise InvalidValue(f"{name} is of use with {needed} only", field=name)
        return Wanted(
            await self._reaches(call, query),
            lambda prefix: may(call.principal, Operation.READ, prefix),
            None if query.state is None else _STATES[query.state],
            None if query.value is None else query.value.encode(),
            None if query.type is None else query.type.encode(),
            query.index,
        )

    async def _reaches(self, call: Call, query: SearchQuery) -> list[Reach]:
        """Where to search: what the principal may read, as far as that is asked for."""
        prefix = None if query.prefix is None else ascii_upper(query.prefix)
        if query.enterprise is not None:
            call.need_to_see_for(query.enterprise)
            found = await self._reads.dossiers(Allocation, enterprise=query.enterprise)
            own = [each.prefix for each in found if prefix in (None, each.prefix)]
        elif prefix is not None:
            call.need_to_see(prefix)
            own = [prefix]
        else:
            call.need_anywhere()
            return reaches_of(call.principal)
        return sorted(reach_of(each, self._suffix(query.suffix_begins)) for each in own)

    def _suffix(self, begins: str) -> str:
        return begins if self._rules.case_sensitive_suffix else ascii_upper(begins)


_STATES: Final[dict[str, int]] = {state_name(state): int(state) for state in State}


def _place(cursor: str) -> Place | None:
    """Raises InvalidValue for a cursor that was not made here."""
    key: tuple[Any, ...] = read_cursor(cursor, int, int, str, str)
    if key and not (_PLACE.match(key[2]) and _PLACE.match(key[3])):
        raise InvalidValue("the cursor is not one that was given out here", field="cursor")
    return Place(*key) if key else None


def _item(row: Row) -> FoundIdentifier:
    name = state_name(row.state)
    return FoundIdentifier(str(row.key), name, row.version, iso_time(row.modified))
