"""The life of a worker: one more process that serves a node's ports."""

from __future__ import annotations

from contextlib import AsyncExitStack

from registry.clock import Clock, SystemClock
from registry.schemes.handle import Key
from registry.storage.following import Followed
from resolver.codecs.link import Changed
from resolver.data_directory import DataDirectory
from resolver.holdings import Holdings
from resolver.metrics import Counters
from resolver.node import figures
from resolver.node.fronts import Offices, OpenOffices
from resolver.node.holding import follow_holding
from resolver.node.kept_replies import KeptReplies
from resolver.node.recursing import open_recursor
from resolver.node.serving import Serving
from resolver.node.setting import Setting
from resolver.pipeline.sources import Sources
from resolver.topology import NodeSpec, Topology
from resolver.transports.forwarding import Forwarder
from resolver.transports.tunnel import add_tunnel
from resolver.workers.counting import Increments
from resolver.workers.handing_over import HandedOverJson, HandedOverMessages
from resolver.workers.place import HTTP, LINK, Place
from resolver.workers.writer_link import WriterLink


class Worker:
    """Serves a node beside the process that keeps its store, and leaves to that what it must.

    `start` and `drain` are called once each, in the event loop.
    """

    def __init__(
        self, topology: Topology, spec: NodeSpec, data: DataDirectory, clock: Clock | None = None
    ) -> None:
        self._setting = Setting(topology, spec, data, clock or SystemClock())
        self._counters = Counters()
        self._kept = KeptReplies()
        self._closing = AsyncExitStack()

    async def start(self) -> None:
        """Wait for the process that keeps the store, then serve.

        Raises PortInUse, and what opening the store raises.
        """
        async with AsyncExitStack() as stack:
            place = Place(self._setting.data.node_path(self._setting.spec.name))
            stack.callback(place.close)
            writer = WriterLink(place.address(LINK))
            stack.push_async_callback(writer.close)
            welcome = await writer.welcome()
            forwarder = Forwarder(place.address(HTTP))
            stack.push_async_callback(forwarder.close)
            serving = await self._serving(stack, writer)
            routes = [add_tunnel(serving.fronts.handle.tunnelled)]
            routes.append(forwarder.routes(welcome.resources))
            http = serving.http_front()
            await serving.open_ports(http, routes)
            http.serving = True
            stack.callback(setattr, http, "serving", False)
            self._closing = stack.pop_all()

    async def drain(self) -> None:
        """Stop listening, finish what is under way."""
        await self._closing.aclose()

    async def _serving(self, stack: AsyncExitStack, writer: WriterLink) -> Serving:
        setting = self._setting
        if setting.spec.role == "recursive":
            recursion = open_recursor(stack, setting, self._kept.drop)
            sources = Sources(None, recursion, clock=setting.clock)
            serving = self._served(stack, sources, None, None)
            more = figures.recursion_figures(recursion)
        else:
            store, view = await follow_holding(stack, setting, self._kept.drop)
            sources = view.sources(setting.clock)
            serving = self._served(stack, sources, view.holdings, _offices(writer))
            more = iter(())
            writer.follow(lambda changed: self._follow(changed, store, view.holdings))
        writer.report(Increments(serving.collector(more)))
        return serving

    def _served(
        self,
        stack: AsyncExitStack,
        sources: Sources,
        holdings: Holdings | None,
        open_offices: OpenOffices | None,
    ) -> Serving:
        return Serving(
            stack, self._setting, sources, self._kept, self._counters, holdings, open_offices
        )

    async def _follow(self, changed: Changed, store: Followed, holdings: Holdings) -> None:
        """Take in a commit."""
        keys = None if changed.keys is None else [Key(*key) for key in changed.keys]
        if keys is None:
            self._kept.drop(None)
        await store.told(keys, changed.homed_changed)
        holdings.changes = changed.changes


def _offices(writer: WriterLink) -> OpenOffices:
    return lambda responder, _: Offices(
        HandedOverMessages(writer, responder.refuse), HandedOverJson()
    )
