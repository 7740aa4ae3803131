"""What a node's HTTP ports serve besides resolution: the routes of `registry.http`, in one list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

from registry.http import snms
from registry.http.bearer import Bearers
from registry.http.bulk import BulkRegistration
from registry.http.checkpoints import WitnessedCheckpoints
from registry.http.documentation import Documentation
from registry.http.endpoints import Api, Endpoint
from registry.http.identifiers import Identifiers
from registry.http.quotas import QuotaResources
from registry.http.reverse_lookup import ReverseLookup, TokensAsPasswords
from registry.http.search import Search
from registry.http.snms.answering import refusal_answer
from registry.http.templates import TemplateResources
from registry.quotas.office import QuotaOffice
from registry.quotas.request_meter import RequestMeter
from registry.templates.office import TemplateOffice
from resolver.metrics import Counters
from resolver.node.enterprises import enterprise_endpoints
from resolver.node.holding import Holding
from resolver.node.identity import Identity, account_endpoints, identity
from resolver.node.setting import Setting

#: Adds routes to an application.
AddRoutes = Callable[[Any], None]


class Management(NamedTuple):
    """The tables of what is served, and what adds the routes of them."""

    endpoints: Sequence[Endpoint]
    routes: Sequence[AddRoutes]


def management(
    stack: AsyncExitStack, setting: Setting, holding: Holding, counters: Counters
) -> Management:
    """What is served under /v1, and other APIs about what is registered here.

    The stack closes what is behind them.
    """
    changes = counters.changes
    requests = RequestMeter(holding.store, setting.clock)
    stack.push_async_callback(requests.aclose)
    bearers = Bearers(holding.store.reads, setting.clock, requests)
    known = identity(stack, setting, holding)
    table = [
        *identifier_endpoints(setting, holding, counters),
        *enterprise_endpoints(stack, setting, holding, known.passwords),
        *endpoints(setting, holding, known),
        *quota_endpoints(setting, holding, requests),
    ]
    snms_table = [*snms_endpoints(setting, holding, known)]
    lookup = ReverseLookup(holding.store.reads).endpoints()
    passwords = TokensAsPasswords(holding.store.reads, setting.clock, requests)
    apis = (
        Api(table, bearers, changes),
        Api(snms_table, bearers, changes, refusal_answer),
        Api(lookup, passwords, changes),
    )
    routes = [api.add_to for api in apis]
    return Management([*table, *snms_table, *lookup], [*routes, Documentation(table).add_to])


def identifier_endpoints(
    setting: Setting, holding: Holding, counters: Counters
) -> Iterator[Endpoint]:
    """The table of what is about identifiers; where two fit a path, the first one is taken."""
    registrar, reads, rules = holding.registrar, holding.store.reads, setting.rules
    changes = counters.changes
    yield from BulkRegistration(registrar, reads, rules, setting.clock, changes).endpoints()
    yield from Search(reads, rules).endpoints()
    yield from Identifiers(registrar, reads, rules).endpoints()
    yield from WitnessedCheckpoints(holding.store).endpoints()


def endpoints(setting: Setting, holding: Holding, known: Identity) -> Iterator[Endpoint]:
    """The table of the management API."""
    ledger, reads = holding.registrar.ledger, holding.store.reads
    yield from account_endpoints(setting, holding, known)
    yield from TemplateResources(TemplateOffice(ledger), reads).endpoints()


def quota_endpoints(
    setting: Setting, holding: Holding, requests: RequestMeter
) -> Iterator[Endpoint]:
    """The table of what is about limits."""
    office = QuotaOffice(holding.registrar.ledger, holding.store.reads, setting.clock)
    yield from QuotaResources(office, requests).endpoints()


def snms_endpoints(setting: Setting, holding: Holding, known: Identity) -> Iterator[Endpoint]:
    """The table of the API for clients of second-node management systems."""
    registrar, reads, rules = holding.registrar, holding.store.reads, setting.rules
    yield from snms.Identity(known.sign_in, setting.clock).endpoints()
    yield from snms.Identifiers(registrar, reads, rules).endpoints()
    yield from snms.Templates(TemplateOffice(registrar.ledger), reads, rules).endpoints()
