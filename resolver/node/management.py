"""What a node's HTTP ports serve besides resolution: the routes of `registry.http`, in one list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

from registry.http.bearer import Bearers
from registry.http.bulk import BulkRoutes
from registry.http.checkpoints import CheckpointRoutes
from registry.http.endpoints import Api, Endpoint
from registry.http.identifiers import IdentifierRoutes
from resolver.metrics import Counters
from resolver.node.holding import Holding
from resolver.node.identity import account_endpoints
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
    yield Api([*endpoints(stack, setting, holding)], bearers, changes).add_to


def endpoints(stack: AsyncExitStack, setting: Setting, holding: Holding) -> Iterator[Endpoint]:
    """The table of the management API."""
    yield from account_endpoints(stack, setting, holding)
