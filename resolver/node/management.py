"""What a node's HTTP ports serve besides resolution: the routes of `registry.http`, in one list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

from registry.http import snms
from registry.http.bearer import Bearers
from registry.http.bulk import BulkRoutes
from registry.http.checkpoints import CheckpointRoutes
from registry.http.endpoints import Api, Endpoint
from registry.http.identifiers import IdentifierRoutes
from registry.http.snms.answering import refusal_answer
from registry.http.templates import TemplateResources
from registry.template_office import TemplateOffice
from resolver.metrics import Counters
from resolver.node.enterprises import enterprise_endpoints
from resolver.node.holding import Holding
from resolver.node.identity import Identity, account_endpoints, identity
from resolver.node.setting import Setting

#: Adds routes to an application.
AddRoutes = Callable[[Any], None]


def management(
    stack: AsyncExitStack, setting: Setting, holding: Holding, counters: Counters
) -> Iterator[AddRoutes]:
    """The routes under /v1, and those of other APIs about what is registered here.

    The stack closes what is behind them.
    """
    registrar, reads = holding.registrar, holding.store.reads
    rules, changes = setting.rules, counters.changes
    bearers = Bearers(reads, setting.clock)
    yield IdentifierRoutes(registrar, reads, bearers, rules, changes).add_to
    yield BulkRoutes(registrar, reads, bearers, rules, setting.clock, changes).add_to
    yield CheckpointRoutes(holding.store).add_to
    known = identity(stack, setting, holding)
    business = enterprise_endpoints(stack, setting, holding, known.passwords)
    yield Api([*business], bearers, changes).add_to
    yield Api([*endpoints(setting, holding, known)], bearers, changes).add_to
    yield Api([*snms_endpoints(setting, holding, known)], bearers, changes, refusal_answer).add_to


def endpoints(setting: Setting, holding: Holding, known: Identity) -> Iterator[Endpoint]:
    """The table of the management API."""
    ledger, reads = holding.registrar.ledger, holding.store.reads
    yield from account_endpoints(setting, holding, known)
    yield from TemplateResources(TemplateOffice(ledger), reads).endpoints()


def snms_endpoints(setting: Setting, holding: Holding, known: Identity) -> Iterator[Endpoint]:
    """The table of the API for clients of second-node management systems."""
    registrar, reads, rules = holding.registrar, holding.store.reads, setting.rules
    yield from snms.Identity(known.sign_in, setting.clock).endpoints()
    yield from snms.Identifiers(registrar, reads, rules).endpoints()
    yield from snms.Templates(TemplateOffice(registrar.ledger), reads, rules).endpoints()
