"""`/v1/enterprises`: enterprises enrol, are reviewed, and change what they said of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from registry.accounts.account import Account
from registry.accounts.attempts import Allowance, Attempts
from registry.accounts.passwords import Passwords
from registry.authorisation import Operation, Role, may_for
from registry.clock import Clock
from registry.enterprises.enrolment import Enrolment, enterprise_of
from registry.enterprises.enterprise import Enterprise, EnterpriseState, Form
from registry.errors import InvalidValue, NotFound, NotPermitted
from registry.http.account_views import Name, Password
from registry.http.endpoints import Call, Endpoint, Reply
from registry.http.milestones import MilestoneView, milestones_of, shown_time
from registry.http.paging import PageQuery, page_of, read_cursor
from registry.http.reasons import Rejection
from registry.storage.dossiers import Page
from registry.storage.interface import Reads

PATH: Final = "/v1/enterprises"
ONE: Final = PATH + "/{number}"
#: How many enterprises may enrol from one place.
PER_SOURCE: Final = Allowance(20, 180.0)


class FirstAccount(msgspec.Struct, forbid_unknown_fields=True):
    """Who acts for an enterprise that enrols: a username and a password of its choice."""

    username: Name
    password: Password


class NewEnterprise(Form, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An enterprise that enrols. Only the node's operator may leave out the account."""

    account: FirstAccount | None = None


class EnterpriseView(msgspec.Struct, omit_defaults=True):
    """An enterprise. `national` is its number at the national node, empty before that has it."""

    number: str
    state: EnterpriseState
    since: str
    enterprise: Form
    national: str = ""
    account: str = ""
    milestones: list[MilestoneView] = []


class EnterprisePage(msgspec.Struct, omit_defaults=True):
    """A page of enterprises, by number."""

    items: list[EnterpriseView]
    next_cursor: str = ""


class EnterpriseQuery(PageQuery, kw_only=True):
    """Which enterprises; `certificate` is the code of theirs."""

    state: EnterpriseState | None = None
    certificate: Annotated[str, Meta(max_length=64)] = ""


class EnterpriseResources:
    """What is done about enterprises over HTTP."""

    def __init__(
        self, enrolment: Enrolment, reads: Reads, passwords: Passwords, clock: Clock
    ) -> None:
        self._enrolment = enrolment
        self._reads = reads
        self._passwords = passwords
        self._clock = clock
        self._attempts = Attempts(clock, per_source=PER_SOURCE)

    def endpoints(self) -> Sequence[Endpoint]:
        """The table of them."""
        read, change = Operation.ENTERPRISE_READ, Operation.ENTERPRISE_CHANGE
        review = Operation.ENTERPRISE_REVIEW
        one: dict[int, Any] = {200: EnterpriseView}
        listed: dict[str, Any] = {"query": EnterpriseQuery, "answers": {200: EnterprisePage}}
        enrolled: dict[str, Any] = {"body": NewEnterprise, "answers": {201: EnterpriseView}}
        rows: tuple[tuple[str, str, str, str, Any, Operation | None, dict[str, Any]], ...] = (
            ("GET", PATH, "list-enterprises", "Enterprises", self._list, read, listed),
            ("POST", PATH, "enrol-enterprise", "Enrol", self._enrol, None, enrolled),
            ("GET", ONE, "read-enterprise", "An enterprise", self._show, read, {"answers": one}),
            (
                "PUT",
                ONE,
                "change-enterprise",
                "Change what is known of an enterprise; if it was rejected, apply anew",
                self._change,
                change,
                {"body": Form, "answers": one},
            ),
            (
                "POST",
                ONE + "/accept",
                "accept-enterprise",
                "End its review well",
                self._accept,
                review,
                {"answers": one},
            ),
            (
                "POST",
                ONE + "/reject",
                "reject-enterprise",
                "End its review with a refusal",
                self._reject,
                review,
                {"body": Rejection, "answers": one},
            ),
        )
        return [
            Endpoint(method, path, name, summary, act, right, tag="enterprises", **more)
            for method, path, name, summary, act, right, more in rows
        ]

    async def _list(self, call: Call) -> Reply:
        query: EnterpriseQuery = call.query
        having: dict[str, str] = {}
        if query.state is not None:
            having["state"] = query.state.value
        if query.certificate:
            having["certificate_code"] = query.certificate
        own = call.principal.enterprise
        if own:
            call.need_for(own)
        if own or not call.may_for(""):
            having["number"] = own
            call.settle()
        page = Page(read_cursor(query.cursor, str), query.limit + 1)
        found = await self._reads.dossiers(Enterprise, page, **having)
        return Reply(body=page_of(found, query.limit, lambda each: (each.number,), view))

    async def _enrol(self, call: Call) -> Reply:
        body: NewEnterprise = call.body
        form = Form(**{name: getattr(body, name) for name in Form.__struct_fields__})
        if body.account is None:
            _need_operator(call)
            return Reply(201, view(await self._enrolment.enrol(form, call.actor)))
        username = body.account.username
        self._attempts.take(call.request.remote or "", username)
        account = await self._account(body.account)
        actor = call.actor._replace(name=username)
        enterprise = await self._enrolment.enrol(form, actor, [account])
        shown = view(enterprise)
        shown.account = username
        return Reply(201, shown)

    async def _account(self, asked: FirstAccount) -> Account:
        digest = await self._passwords.hashed(asked.password, asked.username)
        now = int(self._clock.now())
        return Account(asked.username, Role.ENTERPRISE_OPERATOR, "", digest, created=now)

    async def _show(self, call: Call) -> Reply:
        enterprise = await self._found(call)
        shown = view(enterprise)
        shown.milestones = await milestones_of(self._reads, enterprise.number)
        return Reply(body=shown)

    async def _change(self, call: Call) -> Reply:
        enterprise = await self._found(call)
        changed = await self._enrolment.change(enterprise.number, call.body, call.actor)
        return Reply(body=view(changed))

    async def _accept(self, call: Call) -> Reply:
        enterprise = await self._found(call)
        return Reply(body=view(await self._enrolment.accept(enterprise.number, call.actor)))

    async def _reject(self, call: Call) -> Reply:
        enterprise, body = await self._found(call), call.body
        rejected = await self._enrolment.reject(enterprise.number, call.actor, body.reason)
        return Reply(body=view(rejected))

    async def _found(self, call: Call) -> Enterprise:
        """The enterprise in the path. Raises NotFound for one that the caller may not see."""
        number = call.path["number"]
        need_for(call, number, Operation.ENTERPRISE_READ)
        return await enterprise_of(self._reads, number)


def need_for(call: Call, enterprise: str, seeing: Operation) -> None:
    """Raises NotFound unless the caller may see what belongs to an enterprise, NotPermitted unless
    the caller may do this about it."""
    if call.may_for(enterprise):
        return
    if may_for(call.principal, seeing, enterprise):
        raise NotPermitted("the token may not do this")
    raise NotFound()


def view(enterprise: Enterprise) -> EnterpriseView:
    """An enterprise as it is shown."""
    since = shown_time(enterprise.since)
    return EnterpriseView(
        enterprise.number, enterprise.state, since, enterprise.form, enterprise.national
    )


def _need_operator(call: Call) -> None:
    """Raise unless an operator enrols for others; anybody else needs an account to go on with."""
    if call.anonymous:
        raise InvalidValue("an account is needed, to go on with", field="account")
    if not may_for(call.principal, Operation.ENTERPRISE_CHANGE, ""):
        raise NotPermitted("the token may not enrol enterprises for others")
