"""The life of a node: from the lock on its directory to the last reply."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

from registry.clock import Clock, SystemClock
from resolver.data_directory import DataDirectory
from resolver.metrics import Counters, Figure, NodeCollector
from resolver.node import facts, figures
from resolver.node.fronts import Fronts, front_ends, http_front
from resolver.node.holding import Holding, open_holding
from resolver.node.kept_replies import KeptReplies
from resolver.node.management import AddRoutes, management
from resolver.node.recursing import open_recursor, open_verifier
from resolver.node.setting import Setting
from resolver.node.sockets import Sockets
from resolver.pipeline.sources import Sources
from resolver.recursion.driver import Recursor
from resolver.topology import NodeSpec, Topology
from resolver.transports.loop_lag import LoopLag
from resolver.transports.tunnel import add_tunnel


class Node:
    """A node of a topology. `start` and `drain` are called once each, in the event loop."""

    def __init__(
        self, topology: Topology, spec: NodeSpec, data: DataDirectory, clock: Clock | None = None
    ) -> None:
        self.spec = spec
        self._setting = Setting(topology, spec, data, clock or SystemClock())
        self._closing = AsyncExitStack()
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
        if self.spec.role == "recursive":
            self._recursion = open_recursor(
                stack, self._setting, lambda key: self._kept.drop([key])
            )
            return Sources(None, self._recursion, clock=self._setting.clock)
        self._holding = await open_holding(stack, self._setting, seed, self._kept.drop)
        return self._holding.sources(self._setting.clock)

    async def _serve(self, stack: AsyncExitStack, sources: Sources) -> None:
        setting, counters, holding = self._setting, self._counters, self._holding
        verifier = open_verifier(stack, setting, sources)
        fronts = front_ends(stack, setting, sources, counters, verifier, holding)
        self._kept.add([fronts.handle.packets, fronts.dns.packets, fronts.plain.packets])
        self._kept.add([fronts.handle.responder.signed])
        sockets = Sockets(stack, setting, counters)
        shown = self._figures(fronts, sockets)
        collector = NodeCollector(self.spec.name, self.spec.role, counters, shown)
        holdings = None if holding is None else holding.holdings
        http = http_front(setting, sources, counters, fronts.json, [collector], verifier, holdings)
        await sockets.open_datagrams(fronts)
        await sockets.open_streams(fronts)
        await sockets.open_http(http, fronts, self._routes(stack, fronts))
        await sockets.open_metrics(http)
        lag = LoopLag(counters.loop_lag.observe)
        lag.start()
        stack.callback(lag.stop)
        http.serving = True
        stack.callback(setattr, http, "serving", False)

    def _routes(self, stack: AsyncExitStack, fronts: Fronts) -> Iterator[AddRoutes]:
        yield add_tunnel(fronts.handle.tunnelled)
        if self._holding is not None:
            yield from management(stack, self._setting, self._holding, self._counters)

    def _figures(self, fronts: Fronts, sockets: Sockets) -> Iterator[Figure]:
        if self._holding is not None:
            yield from figures.store_figures(self._holding)
        for protocol, front in (("handle", fronts.handle), ("dns", fronts.dns)):
            yield from figures.datagram_figures(protocol, front.packets, sockets.datagrams)
        if self._recursion is not None:
            yield from figures.recursion_figures(self._recursion)
