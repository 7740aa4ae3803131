"""The life of a node: from the lock on its directory to the last reply."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from registry.clock import Clock, SystemClock
from registry.http.endpoints import Endpoint
from resolver.data_directory import DataDirectory
from resolver.metrics import Counters, Figure
from resolver.node import facts, figures
from resolver.node.admission import admit_workers
from resolver.node.desk import open_desk
from resolver.node.fronts import Fronts
from resolver.node.holding import Holding, open_holding
from resolver.node.kept_replies import KeptReplies
from resolver.node.management import AddRoutes, management
from resolver.node.recursing import open_recursor
from resolver.node.serving import Serving
from resolver.node.setting import Setting
from resolver.pipeline.sources import Sources
from resolver.recursion.driver import Recursor
from resolver.topology import NodeSpec, Topology
from resolver.transports.forwarding import add_forwarded
from resolver.transports.tunnel import add_tunnel
from resolver.workers.counting import Sums
from resolver.workers.crew import Crew


class Node:
    """A node of a topology. `start` and `drain` are called once each, in the event loop.

    Where workers serve its ports besides, this is the process that keeps its store.
    """

    def __init__(
        self, topology: Topology, spec: NodeSpec, data: DataDirectory, clock: Clock | None = None
    ) -> None:
        self.spec = spec
        self._setting = Setting(topology, spec, data, clock or SystemClock())
        self._closing = AsyncExitStack()
        #: What can be asked about what is registered here.
        self.endpoints: Sequence[Endpoint] = ()
        self._counters = Counters()
        self._kept = KeptReplies()
        self._holding: Holding | None = None
        self._recursion: Recursor | None = None

    async def start(self, seed: int) -> None:
        """Open the store, bring it to what the topology says, and serve.

        `seed` is the number of identifiers that an empty store gets. Raises PortInUse, and what the
        store and the data directory raise.
        """
        name, data = self.spec.name, self._setting.data
        async with AsyncExitStack() as stack:
            stack.enter_context(data.lock_node(name, f"node {name}"))
            # It is published before the nodes above and below need it.
            self._setting.site()
            await self._serve(stack, await self._sources(stack, seed))
            self._closing = stack.pop_all()

    async def drain(self) -> None:
        """Stop listening, finish what is under way, close the store."""
        await self._closing.aclose()

    @property
    def identifiers(self) -> int:
        """How many identifiers are registered here."""
        return 0 if self._holding is None else self._holding.holdings.identifiers

    def ready_entry(self) -> dict[str, Any]:
        """The node as the ready file shows it."""
        return facts.ready_entry(self._setting, self.identifiers)

    async def _sources(self, stack: AsyncExitStack, seed: int) -> Sources:
        clock = self._setting.clock
        if self.spec.role == "recursive":
            self._recursion = open_recursor(stack, self._setting, self._kept.drop)
            return Sources(None, self._recursion, clock=clock)
        self._holding = await open_holding(stack, self._setting, seed, self._kept.drop)
        return self._holding.view.sources(clock)

    async def _serve(self, stack: AsyncExitStack, sources: Sources) -> None:
        setting, counters, holding = self._setting, self._counters, self._holding
        desk = None
        if holding is not None:
            desk = partial(open_desk, stack, setting, holding, sources, counters)
        holdings = None if holding is None else holding.holdings
        serving = Serving(stack, setting, sources, self._kept, counters, holdings, desk)
        sums = Sums(serving.collector(self._figures()))
        crew = Crew(serving.fronts.handle.responder.answer, sums)
        http = serving.http_front([sums], partial(self._recount, crew))
        routes = [*self._routes(stack, serving.fronts)]
        await serving.sockets.open_metrics(http)
        web = await serving.open_ports(http, routes)
        if self.spec.workers > 1:
            await admit_workers(stack, setting, crew, web, routes, holding)
        http.serving = True
        stack.callback(setattr, http, "serving", False)

    async def _recount(self, crew: Crew) -> None:
        """Bring the figures up to date that have to be waited for."""
        if self._holding is not None:
            await self._holding.holdings.count()
        await crew.recount()

    def _routes(self, stack: AsyncExitStack, fronts: Fronts) -> Iterator[AddRoutes]:
        if self.spec.workers > 1:
            yield add_forwarded
        yield add_tunnel(fronts.handle.tunnelled)
        if self._holding is not None:
            managed = management(stack, self._setting, self._holding, self._counters)
            self.endpoints = managed.endpoints
            yield from managed.routes

    def _figures(self) -> Iterator[Figure]:
        if self._holding is not None:
            yield from figures.store_figures(self._holding)
        if self._recursion is not None:
            yield from figures.recursion_figures(self._recursion)
