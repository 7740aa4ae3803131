"""Prefixes as they are sent to the management API, and as it shows them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from registry.http.milestones import MilestoneView, shown_time
from registry.http.paging import PageQuery
from registry.http.reasons import Reason
from registry.prefixes.allocations import Allocation, Hosting
from registry.prefixes.life import PrefixState


class NewPrefix(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An application. Without `prefix` the next free one is meant, without `enterprise` the
    caller's."""

    prefix: Annotated[str, Meta(max_length=64)] = ""
    hosting: Hosting = Hosting.HOSTED
    enterprise: Annotated[str, Meta(max_length=64)] = ""


class Said(msgspec.Struct, forbid_unknown_fields=True):
    """A move and why."""

    reason: Reason = ""


class Offer(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """To which enterprise a prefix is to go, and why."""

    receiver: Annotated[str, Meta(min_length=1, max_length=64)]
    reason: Reason = ""


class Route(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Where a self-hosted prefix is served: the site as `/api/site` gives it, or the HTTP address
    of a node of the topology to take it from."""

    site: dict[str, Any] | None = None
    url: Annotated[str, Meta(max_length=255)] = ""


class PrefixView(msgspec.Struct, omit_defaults=True):
    """A prefix and where it stands.

    `receiver` is whom it is offered to, `problem` what keeps it from going on.
    """

    prefix: str
    enterprise: str
    state: PrefixState
    hosting: Hosting
    since: str
    receiver: str = ""
    problem: str = ""
    milestones: list[MilestoneView] = []


class PrefixPage(msgspec.Struct, omit_defaults=True):
    """A page of prefixes, in their order as texts."""

    items: list[PrefixView]
    next_cursor: str = ""


class AdministratorView(msgspec.Struct):
    """A new bootstrap administrator of a prefix. The secret is shown this once."""

    prefix: str
    handle: str
    index: int
    secret: str


class PrefixQuery(PageQuery, kw_only=True):
    """Which prefixes; `offered` are those offered to the enterprise."""

    state: PrefixState | None = None
    enterprise: Annotated[str, Meta(max_length=64)] = ""
    offered: bool = False


def view(allocation: Allocation) -> PrefixView:
    """A prefix as it is shown."""
    return PrefixView(
        allocation.prefix,
        allocation.enterprise,
        allocation.state,
        allocation.hosting,
        shown_time(allocation.since),
        allocation.receiver,
        allocation.problem,
    )
