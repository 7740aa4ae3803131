"""`/ntn/v1/…` of a national node: commands of sector nodes, and the audits that wait for somebody.

The paths and the JSON are the simulator's own; what the commands mean is EPP's (see
`registry.provisioning.commands`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from registry.audit.log import Actor
from registry.authorisation import Operation
from registry.clock import Clock
from registry.http.endpoints import Call, Endpoint, Reply
from registry.http.milestones import shown_time
from registry.http.paging import PageQuery, page_of, read_cursor
from registry.http.reasons import Reason, Rejection
from registry.prefixes.child_keys import child_key
from registry.provisioning import commands, signature
from registry.provisioning.kept import AuditState, ProvisionedPrefix
from registry.provisioning.national import National
from registry.schemes.handle import ascii_upper
from registry.storage.dossiers import Page
from registry.storage.interface import Reads

#: Where sector nodes send their commands.
COMMANDS: Final = "/ntn/v1/commands"
PREFIXES: Final = "/ntn/v1/prefixes"
_ONE: Final = PREFIXES + "/{prefix}"


class Passing(msgspec.Struct, forbid_unknown_fields=True):
    """What the audit says of a prefix that passes."""

    reason: Reason = "passed"


class AuditView(msgspec.Struct, omit_defaults=True):
    """A prefix that a sector node created, and where its audit stands."""

    prefix: str
    sector: str
    enterprise: str
    state: AuditState
    since: str
    message: str = ""


class AuditPage(msgspec.Struct, omit_defaults=True):
    """A page of them, by prefix."""

    items: list[AuditView]
    next_cursor: str = ""


class AuditQuery(PageQuery, kw_only=True):
    """Which of them."""

    state: AuditState | None = None


class ProvisioningResources:
    """What a national node with the prefix `prefix` does for sector nodes over HTTP."""

    def __init__(self, national: National, reads: Reads, clock: Clock, prefix: str) -> None:
        self._national = national
        self._reads = reads
        self._clock = clock
        self._prefix = prefix

    def endpoints(self) -> Sequence[Endpoint]:
        """The table of them."""
        command: dict[str, Any] = {"body": commands.Command, "answers": {200: commands.Reply}}
        listed: dict[str, Any] = {"query": AuditQuery, "answers": {200: AuditPage}}
        one: dict[int, Any] = {200: AuditView}
        read, review = Operation.PREFIX_READ, Operation.PREFIX_REVIEW
        rows: tuple[tuple[str, str, str, str, Any, Operation | None, dict[str, Any]], ...] = (
            ("POST", COMMANDS, "provision", "A sector node's command", self._act, None, command),
            ("GET", PREFIXES, "list-audits", "Prefixes of sectors", self._list, read, listed),
            (
                "POST",
                _ONE + "/pass",
                "pass-audit",
                "Let a prefix pass its audit",
                self._pass,
                review,
                {"body": Passing, "answers": one},
            ),
            (
                "POST",
                _ONE + "/refuse",
                "refuse-audit",
                "Refuse a prefix",
                self._refuse,
                review,
                {"body": Rejection, "answers": one},
            ),
        )
        return [
            Endpoint(method, path, name, summary, act, right, tag="national node", **more)
            for method, path, name, summary, act, right, more in rows
        ]

    async def _act(self, call: Call) -> Reply:
        sector = await self._signer(call)
        actor = Actor(sector, call.actor.origin)
        return Reply(body=await self._national.carry_out(sector, call.body, actor))

    async def _signer(self, call: Call) -> str:
        """The prefix of the sector node that signed. Raises AuthenticationFailed."""
        request = call.request
        claim = signature.claimed(request.headers, int(self._clock.now()))
        signed = signature.Request(request.method, COMMANDS, await request.read())
        key = await child_key(self._reads, claim.prefix)
        signature.check(request.headers, signed, claim, key)
        return claim.prefix

    async def _list(self, call: Call) -> Reply:
        query: AuditQuery = call.query
        call.need(self._prefix)
        having = {} if query.state is None else {"state": query.state.value}
        page = Page(read_cursor(query.cursor, str), query.limit + 1)
        found = await self._reads.dossiers(ProvisionedPrefix, page, **having)
        return Reply(body=page_of(found, query.limit, lambda each: (each.prefix,), _view))

    async def _pass(self, call: Call) -> Reply:
        return await self._decide(call, passed=True)

    async def _refuse(self, call: Call) -> Reply:
        return await self._decide(call, passed=False)

    async def _decide(self, call: Call, *, passed: bool) -> Reply:
        prefix = ascii_upper(call.path["prefix"])
        call.need(prefix)
        reason = call.body.reason
        return Reply(body=_view(await self._national.decide(prefix, passed, reason, call.actor)))


def _view(prefix: ProvisionedPrefix) -> AuditView:
    return AuditView(
        prefix.prefix,
        prefix.sector,
        prefix.enterprise,
        prefix.state,
        shown_time(prefix.since),
        prefix.message,
    )
