"""What every process of a node does: it answers on the node's ports, and counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack

from prometheus_client.registry import Collector

from resolver.holdings import Holdings
from resolver.metrics import Counters, Figure, NodeCollector
from resolver.node import figures
from resolver.node.fronts import OpenOffices, front_ends, http_front
from resolver.node.kept_replies import KeptReplies
from resolver.node.management import AddRoutes
from resolver.node.recursing import open_verifier
from resolver.node.setting import Setting
from resolver.node.sockets import Sockets
from resolver.pipeline.http import HttpFront
from resolver.pipeline.sources import Sources
from resolver.transports.http import HttpServer
from resolver.transports.loop_lag import LoopLag


class Serving:
    """The front-ends of a process, its ports and its counters; the stack ends them.

    `kept` is told of their caches. A node with nothing registered has no `holdings`.
    """

    def __init__(
        self,
        stack: AsyncExitStack,
        setting: Setting,
        sources: Sources,
        kept: KeptReplies,
        counters: Counters,
        holdings: Holdings | None,
        open_offices: OpenOffices | None,
    ) -> None:
        self._verifier = open_verifier(stack, setting, sources)
        self.fronts = front_ends(
            stack, setting, sources, counters, self._verifier, holdings, open_offices
        )
        kept.add(self.fronts.caches)
        self.sockets = Sockets(stack, setting, counters)
        lag = LoopLag(counters.loop_lag.observe)
        lag.start()
        stack.callback(lag.stop)
        self._setting = setting
        self._sources = sources
        self._counters = counters
        self._holdings = holdings

    def collector(self, more: Iterable[Figure]) -> NodeCollector:
        """What is counted here, and more."""
        spec = self._setting.spec
        return NodeCollector(spec.name, spec.role, self._counters, [*more, *self._figures()])

    def http_front(
        self,
        collectors: Iterable[Collector] = (),
        recount: Callable[[], Awaitable[None]] | None = None,
    ) -> HttpFront:
        """See `fronts.http_front`."""
        return http_front(
            self._setting,
            self._sources,
            self._counters,
            self.fronts.json,
            collectors,
            self._verifier,
            self._holdings,
            recount,
        )

    async def open_ports(self, http: HttpFront, add_routes: Iterable[AddRoutes]) -> HttpServer:
        """Answer on all ports but that of the metrics; the server of the HTTP ports.

        Raises PortInUse.
        """
        await self.sockets.open_datagrams(self.fronts)
        await self.sockets.open_streams(self.fronts)
        return await self.sockets.open_http(http, self.fronts, add_routes)

    def _figures(self) -> Iterator[Figure]:
        # Each process is one, and figures are added up.
        yield "idnode_workers", "Processes that serve the node", "gauge", lambda: 1.0
        servers = self.sockets.datagrams
        yield from figures.datagram_figures("handle", self.fronts.handle.packets, servers)
        yield from figures.datagram_figures("dns", self.fronts.dns.packets, servers)
