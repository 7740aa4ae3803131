"""`/v1/prefixes`: enterprises apply for prefixes; their review, their route, their end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from registry.authorisation import Operation, may_for
from registry.errors import InvalidValue, NotFound, NotPermitted
from registry.http.endpoints import Call, Endpoint, Reply
from registry.http.milestones import milestones_of
from registry.http.paging import page_of, read_cursor
from registry.http.prefix_views import (
    AdministratorView,
    NewPrefix,
    Offer,
    PrefixPage,
    PrefixQuery,
    PrefixView,
    Route,
    Said,
    view,
)
from registry.http.reasons import Rejection
from registry.prefixes.advancing import PENDING, Advancing
from registry.prefixes.allocating import Allocating, allocation_of
from registry.prefixes.allocations import Allocation
from registry.prefixes.life import PrefixOperation
from registry.rights import BOOTSTRAP_INDEX
from registry.schemes.handle import ascii_upper
from registry.storage.dossiers import Page
from registry.storage.interface import ADMINISTRATOR, Reads

PATH: Final = "/v1/prefixes"
ONE: Final = PATH + "/{prefix}"
#: The HS_SITE data of where a prefix is served, from what was sent. Raises InvalidValue.
ReadRoute = Callable[[Route], Awaitable[bytes]]
_READ: Final = Operation.PREFIX_READ
_O = PrefixOperation


class PrefixResources:
    """What is done about prefixes over HTTP."""

    def __init__(
        self,
        allocating: Allocating,
        advancing: Advancing,
        reads: Reads,
        read_route: ReadRoute,
    ) -> None:
        self._allocating = allocating
        self._advancing = advancing
        self._reads = reads
        self._read_route = read_route

    def endpoints(self) -> Sequence[Endpoint]:
        """The table of them."""
        listed: dict[str, Any] = {"query": PrefixQuery, "answers": {200: PrefixPage}}
        applied: dict[str, Any] = {"body": NewPrefix, "answers": {201: PrefixView}}
        apply, read = Operation.PREFIX_APPLY, Operation.PREFIX_READ
        return [
            _endpoint("GET", PATH, "list-prefixes", "Prefixes", self._list, read, **listed),
            _endpoint(
                "POST", PATH, "apply-for-prefix", "Apply for one", self._apply, apply, **applied
            ),
            _endpoint("GET", ONE, "read-prefix", "A prefix, and who did what", self._show, read),
            *(self._move(*row) for row in self._moves()),
            _endpoint(
                "POST",
                ONE + "/administrator",
                "appoint-prefix-administrator",
                "A new secret for the administrator of a hosted prefix",
                self._appoint,
                Operation.ACCOUNT_MANAGE,
                answers={201: AdministratorView},
            ),
        ]

    def _moves(self) -> Sequence[tuple[str, str, Operation, Any, _Take]]:
        """What is done by POST to `/v1/prefixes/PREFIX/…`, with the body that goes with it."""
        control, apply = Operation.PREFIX_CONTROL, Operation.PREFIX_APPLY
        review, route = Operation.PREFIX_REVIEW, Operation.PREFIX_ROUTE
        return (
            ("accept", "End its review well", review, None, self._accept),
            ("reject", "End its review with a refusal", review, Rejection, self._plain(_O.REJECT)),
            ("poll", "Take it on as far as it goes now", apply, None, self._stay),
            ("route", "Say where it is served", route, Route, self._route),
            ("suspend", "End its resolution", control, Said, self._plain(_O.SUSPEND)),
            ("resume", "Resolve it again", control, None, self._plain(_O.RESUME)),
            ("revoke", "End it", control, Said, self._plain(_O.REVOKE)),
            ("restore", "Bring it back within the window", control, None, self._restore),
            ("offer", "Offer it to another enterprise", control, Offer, self._offer),
            ("take", "Take what is offered", apply, None, self._take),
            ("decline", "End the offer", apply, None, self._plain(_O.DECLINE)),
        )

    def _move(self, name: str, summary: str, right: Operation, body: Any, take: _Take) -> Endpoint:
        """An endpoint that moves a prefix, and then takes it on as far as it goes by itself."""

        async def act(call: Call) -> Reply:
            prefix = (await self._found(call, _OF_RECEIVER.get(name, _owner))).prefix
            await take(call, prefix)
            after = await self._advancing.advance(prefix)
            if after.state in PENDING:
                self._advancing.wake()
            return Reply(body=view(after))

        return _endpoint("POST", f"{ONE}/{name}", f"{name}-prefix", summary, act, right, body=body)

    def _plain(self, operation: PrefixOperation) -> _Take:
        async def move(call: Call, prefix: str) -> None:
            reason = "" if call.body is None else call.body.reason
            await self._allocating.move(prefix, operation, call.actor, reason)

        return move

    async def _stay(self, call: Call, prefix: str) -> None:
        """Nothing but to go on."""

    async def _accept(self, call: Call, prefix: str) -> None:
        await self._allocating.accept(prefix, call.actor)

    async def _route(self, call: Call, prefix: str) -> None:
        await self._allocating.route(prefix, call.actor, await self._read_route(call.body))

    async def _restore(self, call: Call, prefix: str) -> None:
        await self._allocating.restore(prefix, call.actor)

    async def _offer(self, call: Call, prefix: str) -> None:
        body: Offer = call.body
        await self._allocating.offer(prefix, body.receiver, call.actor, body.reason)

    async def _take(self, call: Call, prefix: str) -> None:
        await self._allocating.take(prefix, call.actor)

    async def _list(self, call: Call) -> Reply:
        query: PrefixQuery = call.query
        enterprise = query.enterprise or call.principal.enterprise
        if enterprise:
            call.need_to_see_for(enterprise)
        having: dict[str, str] = {}
        if query.state is not None:
            having["state"] = query.state.value
        if enterprise or not call.may_for(""):
            having["receiver" if query.offered else "enterprise"] = enterprise
        call.settle()
        page = Page(read_cursor(query.cursor, str), query.limit + 1)
        found = await self._reads.dossiers(Allocation, page, **having)
        return Reply(body=page_of(found, query.limit, lambda each: (each.prefix,), view))

    async def _apply(self, call: Call) -> Reply:
        body: NewPrefix = call.body
        enterprise = body.enterprise or call.principal.enterprise
        if not enterprise:
            raise InvalidValue("the enterprise has to be named", field="enterprise")
        call.need_to_see_for(enterprise)
        wanted = body.prefix or None
        applied = await self._allocating.apply(enterprise, wanted, body.hosting, call.actor)
        return Reply(201, view(applied))

    async def _show(self, call: Call) -> Reply:
        allocation = await self._found(call, _either)
        shown = view(allocation)
        shown.milestones = await milestones_of(self._reads, allocation.prefix)
        return Reply(body=shown)

    async def _appoint(self, call: Call) -> Reply:
        prefix = (await self._found(call, _owner)).prefix
        secret = await self._allocating.appoint(prefix, call.actor)
        shown = AdministratorView(prefix, f"{prefix}/{ADMINISTRATOR}", BOOTSTRAP_INDEX, secret)
        return Reply(201, shown, {"Cache-Control": "no-store"})

    async def _found(self, call: Call, whose: _Whose) -> Allocation:
        """The prefix in the path. Raises NotFound for one that the caller may not see, NotPermitted
        unless the caller may do this for one of the enterprises that it is about."""
        found = await allocation_of(self._reads, ascii_upper(call.path["prefix"]))
        if not any(may_for(call.principal, _READ, each) for each in _either(found)):
            raise NotFound("nobody applied for this prefix")
        if not any(call.may_for(each) for each in whose(found)):
            raise NotPermitted("the token may not do this")
        return found


_Take = Callable[[Call, str], Awaitable[None]]
#: The enterprises for one of which the caller has to be allowed to do something.
_Whose = Callable[[Allocation], Sequence[str]]


def _owner(allocation: Allocation) -> Sequence[str]:
    return (allocation.enterprise,)


def _receiver(allocation: Allocation) -> Sequence[str]:
    return (allocation.receiver,) if allocation.receiver else (allocation.enterprise,)


def _either(allocation: Allocation) -> Sequence[str]:
    return (*_owner(allocation), *_receiver(allocation))


_OF_RECEIVER: Final[dict[str, _Whose]] = {"take": _receiver, "decline": _receiver}


def _endpoint(
    method: str,
    path: str,
    name: str,
    summary: str,
    act: Callable[[Call], Awaitable[Reply]],
    right: Operation,
    **more: Any,
) -> Endpoint:
    answers = more.pop("answers", {200: PrefixView})
    return Endpoint(
        method, path, name, summary, act, right, answers=answers, tag="prefixes", **more
    )
