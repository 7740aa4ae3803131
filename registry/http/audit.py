"""`/v1/audit`: who did what, as far as it is the caller's to know."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from registry.accounts.account import Account
from registry.audit.log import Entry
from registry.authorisation import Operation
from registry.errors import NotFound
from registry.http.endpoints import Call, Endpoint, Reply
from registry.http.milestones import shown_time
from registry.http.paging import PageQuery, page_of, read_cursor
from registry.prefixes.allocations import Allocation
from registry.storage.interface import Reads

PATH: Final = "/v1/audit"
#: More than any number of an entry.
_END: Final = (1 << 63) - 1


class EntryView(msgspec.Struct, omit_defaults=True):
    """An entry of the audit log. `before` and `after` are SHA-256 in hexadecimal digits, of what
    was and what is there; `origin` is where whoever did it was, shown to the node's staff and for
    the enterprise's own accounts."""

    sequence: int
    time: str
    event: str
    by: str
    subject: str
    origin: str = ""
    before: str = ""
    after: str = ""
    size: int = 1


class AuditEntryPage(msgspec.Struct, omit_defaults=True):
    """A page of entries, the newest first."""

    items: list[EntryView]
    next_cursor: str = ""


class AuditLogQuery(PageQuery, kw_only=True):
    """Which entries: those about a prefix, the number of an enterprise, or a username."""

    about: Annotated[str, Meta(max_length=255)] = ""


class AuditLogResources:
    """What is read of the audit log over HTTP. `prefix` is what the node's staff acts for."""

    def __init__(self, reads: Reads, prefix: str) -> None:
        self._reads = reads
        self._prefix = prefix

    def endpoints(self) -> Sequence[Endpoint]:
        """The table of them."""
        summary = "Who did what: an enterprise sees what is about itself"
        read, answers = Operation.AUDIT_READ, {200: AuditEntryPage}
        return [
            Endpoint(
                "GET",
                PATH,
                "read-audit-log",
                summary,
                self._list,
                read,
                query=AuditLogQuery,
                answers=answers,
                tag="audit",
            )
        ]

    async def _list(self, call: Call) -> Reply:
        query: AuditLogQuery = call.query
        (before,) = read_cursor(query.cursor, int) or (_END,)
        limit = query.limit + 1
        enterprise = call.principal.enterprise
        if not enterprise:
            call.need(self._prefix)
            found = await self._reads.entries(query.about or None, before, limit)
            return Reply(body=_page(found, query.limit, None))
        call.need_for(enterprise)
        accounts = {each.username for each in await self._of(Account, enterprise)}
        prefixes = {each.prefix for each in await self._of(Allocation, enterprise)}
        own = {enterprise, *accounts, *prefixes}
        about = query.about
        if about and about not in own:
            raise NotFound("nothing of the enterprise's is called so")
        pages = [
            await self._reads.entries(scope, before, limit)
            for scope in ([about] if about else sorted(own))
        ]
        newest = heapq.merge(*pages, key=lambda entry: -entry.sequence)
        return Reply(body=_page([*newest][:limit], query.limit, accounts))

    async def _of(self, kind: Any, enterprise: str) -> Sequence[Any]:
        found: Sequence[Any] = await self._reads.dossiers(kind, enterprise=enterprise)
        return found


def _page(found: Sequence[Entry], limit: int, accounts: set[str] | None) -> dict[str, Any]:
    """The body of a page; origins are shown for `accounts`, None for all."""

    def shown(entry: Entry) -> EntryView:
        known = accounts is None or entry.actor in accounts
        return EntryView(
            entry.sequence,
            shown_time(entry.time),
            entry.event,
            entry.actor,
            entry.subject,
            entry.origin if known else "",
            entry.before.hex(),
            entry.after.hex(),
            entry.size,
        )

    return page_of(found, limit, lambda entry: (entry.sequence,), shown)
