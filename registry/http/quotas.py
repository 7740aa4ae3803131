"""`/v1/quotas/{subject}`: limits of enterprises and accounts, and what is used of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from registry.accounts.account import Account
from registry.authorisation import Operation
from registry.errors import InvalidValue, NotFound
from registry.http.account_door import may_about
from registry.http.endpoints import Call, Endpoint, Reply
from registry.quotas.office import QuotaOffice
from registry.quotas.quota import Quota
from registry.quotas.request_meter import RequestMeter

PATH: Final = "/v1/quotas/{subject}"
_MAX_LIMIT: Final = 1 << 53
_Limit: TypeAlias = Annotated[int, Meta(ge=0, le=_MAX_LIMIT)] | None


class Limits(msgspec.Struct, forbid_unknown_fields=True):
    """What a subject may use, null for any amount: requests a day (UTC) over HTTP, registrations in
    all, and prefixes (enterprises only)."""

    requests: _Limit = None
    registrations: _Limit = None
    prefixes: _Limit = None


class Used(msgspec.Struct, omit_defaults=True):
    """What is used of the limits: requests are today's; without a limit nothing is counted."""

    requests: int = 0
    registrations: int = 0
    prefixes: int = 0


class QuotaView(msgspec.Struct):
    """The limits of a subject, and what it has used."""

    subject: str
    limits: Limits
    used: Used


class QuotaResources:
    """What is done about quotas over HTTP."""

    def __init__(self, office: QuotaOffice, requests: RequestMeter) -> None:
        self._office = office
        self._requests = requests

    def endpoints(self) -> Sequence[Endpoint]:
        """The table of them."""
        answers: dict[int, Any] = {200: QuotaView}
        return [
            Endpoint(
                "GET",
                PATH,
                "read-quota",
                "The limits of `enterprise:NUMBER` or `account:USERNAME`",
                self._show,
                Operation.QUOTA_READ,
                answers=answers,
                tag="quotas",
            ),
            Endpoint(
                "PUT",
                PATH,
                "set-quota",
                "Limit an enterprise or an account",
                self._set,
                Operation.QUOTA_SET,
                body=Limits,
                answers=answers,
                tag="quotas",
            ),
        ]

    async def _show(self, call: Call) -> Reply:
        subject = await self._subject(call)
        return Reply(body=await self._view(subject))

    async def _set(self, call: Call) -> Reply:
        limits: Limits = call.body
        subject = await self._subject(call)
        if limits.prefixes is not None and not subject.startswith("enterprise:"):
            raise InvalidValue("prefixes are of enterprises", field="prefixes")
        quota = Quota(subject, limits.requests, limits.registrations, limits.prefixes)
        await self._office.set(quota, call.actor)
        self._requests.forget()
        return Reply(body=await self._view(subject))

    async def _subject(self, call: Call) -> str:
        """Whose limits the request is about, for whoever may do this. Raises NotFound."""
        subject = call.path["subject"]
        whose = await self._office.subject(subject)
        if isinstance(whose, Account):
            if not may_about(call, whose):
                raise NotFound()
        else:
            call.need_to_see_for(whose.number)
        return subject

    async def _view(self, subject: str) -> QuotaView:
        quota, used = await self._office.state(subject)
        return QuotaView(subject, Limits(*quota[1:]), Used(**used))
