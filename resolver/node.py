"""One node: its store, its sources, its front-ends, its sockets, from start to drain."""

from __future__ import annotations

import errno
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Final

from registry.clock import Clock, SystemClock
from registry.grouping import Seal
from registry.http.bulk import BulkRoutes
from registry.http.checkpoints import CheckpointRoutes
from registry.http.identifiers import IdentifierRoutes
from registry.registration import Registrar
from registry.rights import bootstrap_administrator
from registry.schemes.handle import PREFIX_RECORDS, Key, ancestors, parent
from registry.storage.backends import open_store
from registry.storage.copying import COPYING
from registry.storage.interface import Store, StoreNotUsable
from registry.values.site import encode_site
from registry.values.site_json import site_to_json
from resolver.administration.certification import Certifier
from resolver.administration.desk import Certification, Desk
from resolver.administration.elsewhere import OtherNodes
from resolver.authority import Authority
from resolver.cache.packets import PacketCache
from resolver.checkpoints import Checkpoints
from resolver.client import Client
from resolver.codecs.dns.framing import Splitter
from resolver.codecs.dns.zone import ZoneView, name_server
from resolver.codecs.handle.framing import MessageStream
from resolver.codecs.proxy.pages import NodeFacts
from resolver.data_directory import DataDirectory
from resolver.holdings import Holdings
from resolver.key_hierarchy import node_signer, trust_root
from resolver.metrics import Counters, Figure, NodeCollector
from resolver.pipeline.dns import DnsFront
from resolver.pipeline.handle import HandleFront
from resolver.pipeline.http import HttpFront
from resolver.pipeline.json_administration import JsonAdministration
from resolver.pipeline.json_api import JsonApi
from resolver.pipeline.plain_http import PlainHttp
from resolver.pipeline.proxy import ProxyFront
from resolver.pipeline.responder import Responder
from resolver.pipeline.sources import Sources
from resolver.provision import Provision, published_site
from resolver.query import Query
from resolver.recursion.driver import Recursor
from resolver.recursion.targets import plausible
from resolver.recursion.trace import Step
from resolver.server_keys import server_key, tls_context
from resolver.topology import NodeSpec, Topology, endpoints, ports
from resolver.transports.http import HttpServer, application, metrics_application
from resolver.transports.http_plain import SERVER
from resolver.transports.tcp import TcpServer
from resolver.transports.tunnel import add_tunnel
from resolver.transports.udp import UdpServer
from resolver.transports.udp_batches import BatchServer, DatagramFront, listen
from resolver.verification import Verifier

#: Seconds that requests under way get when the node ends.
DRAIN_SECONDS: Final = 3.0
#: Received is answered and unanswered, and what still waits; lost comes on top.
_DATAGRAM_FIGURES: Final = {
    "received": "Datagrams taken in",
    "answered": "Datagrams that were answered",
    "unanswered": "Datagrams that deserved no answer, or that none could be sent to",
    "lost": "Datagrams that found no room in the socket",
}


class PortInUse(Exception):  # noqa: N818 - it is what happened
    """A port of a node cannot be had. `service` names what should listen there."""

    def __init__(
        self, node: str, service: str, host: str, port: int, base: int, error: OSError
    ) -> None:
        why = f"cannot be opened: {os.strerror(error.errno or 0)}"
        if error.errno == errno.EADDRINUSE:
            why = f"is in use; choose another block of ports with --base-port (now {base})"
        super().__init__(f"port {port} on {host}, for {service} of node {node}, {why}")
        self.node = node
        self.port = port


class Node:
    """A node of a topology. `start` and `drain` are called once each, in the event loop."""

    def __init__(
        self, topology: Topology, spec: NodeSpec, data: DataDirectory, clock: Clock | None = None
    ) -> None:
        self.topology = topology
        self.spec = spec
        self._data = data
        self._clock = clock or SystemClock()
        self._closing = AsyncExitStack()
        self._counters = Counters()
        self._store: Store | None = None
        self._holdings: Holdings | None = None
        self._packets: list[PacketCache[Any]] = []
        self._datagrams: dict[str, BatchServer | UdpServer] = {}

    # --- life ---

    async def start(self, seed: int) -> None:
        """Open the store, bring it to what the topology says, and serve.

        `seed` is the number of identifiers that an empty store gets. Raises PortInUse, and what the
        store and the data directory raise.
        """
        async with AsyncExitStack() as stack:
            holder = f"node {self.spec.name}"
            stack.enter_context(self._data.lock_node(self.spec.name, holder))
            self.site = published_site(self.topology, self.spec, self._data)
            if self.spec.role == "recursive":
                sources = Sources(None, await self._recursor(stack))
            else:
                authority = await self._authority(stack, seed)
                assert self._store is not None
                sources = Sources(authority, gather=self._store.gather)
            await self._serve(stack, sources)
            self._closing = stack.pop_all()

    async def drain(self) -> None:
        """Stop listening, finish what is under way, close the store."""
        await self._closing.aclose()

    @property
    def identifiers(self) -> int:
        """How many identifiers are registered here."""
        return 0 if self._holdings is None else self._holdings.identifiers

    def ready_entry(self) -> dict[str, Any]:
        """The node as the ready file shows it."""
        places = endpoints(self.topology, self.spec)
        return {
            "name": self.spec.name,
            "role": self.spec.role,
            "prefix": self.spec.prefix,
            "handle": places.handle,
            "http": places.http,
            "https": places.https,
            "dns": places.dns,
            "metrics": f"{places.metrics}/metrics",
            "identifiers": self.identifiers,
        }

    # --- sources ---

    async def _recursor(self, stack: AsyncExitStack) -> Recursor:
        root = published_site(self.topology, self.topology.root, self._data)
        numbers = ports(self.topology, self.spec)
        own = {(self.spec.host, numbers.handle)}
        recursor = Recursor(
            (root,),
            Client(self._clock).ask,
            self._clock,
            may_ask=lambda host, port: plausible(host, port) and (host, port) not in own,
            learned=self._overtaken,
            name=self.spec.name,
        )
        stack.push_async_callback(recursor.close)
        self._recursion = recursor
        return recursor

    def _overtaken(self, key: Key) -> None:
        """Drop the replies about what a walk has just found anew."""
        for packets in (self._handle.packets, self._handle.responder.signed, self._dns.packets):
            packets.drop([key])

    async def _authority(self, stack: AsyncExitStack, seed: int) -> Authority:
        store = self._store = await self._open_store()
        stack.push_async_callback(store.close)
        registrar = self._registrar = Registrar(store, self._clock, seal=self._seal())
        stack.push_async_callback(registrar.aclose)
        await registrar.ledger.open()
        await self._keep_checkpoints(stack, store, registrar)
        provision = Provision(self.topology, self.spec, self._data, store, registrar, self._clock)
        await provision.run(seed)
        holdings = self._holdings = Holdings(
            store,
            self._drop_replies,
            shown=self.spec.homed,
            top=self.spec.role == "root",
            rules=self.topology.rules,
        )
        stack.callback(await holdings.load())
        return Authority(holdings.tree, store.lookup, holdings.computed)

    async def _open_store(self) -> Store:
        name = self.spec.name
        self._data.remember_store(name, self.spec.store)
        store = await open_store(self._data.store_url(name), self.spec.store_read)
        if (of := await store.reads.fact(COPYING)) is not None:
            await store.close()
            raise StoreNotUsable(
                f"the store of {name} is an unfinished copy of {of}: finish it by the same"
                " `idnode store copy`"
            )
        return store

    async def _keep_checkpoints(
        self, stack: AsyncExitStack, store: Store, registrar: Registrar
    ) -> None:
        name, above = self.spec.name, self.spec.parent
        witness = endpoints(self.topology, self.topology.node(above)).http if above else None
        kept = await store.reads.checkpoints(name)
        checkpoints = Checkpoints(
            name,
            self.spec.prefix,
            registrar.ledger,
            lambda: server_key(self._data.node_path(name)),
            witness,
            kept[-1] if kept else None,
        )
        stack.push_async_callback(checkpoints.aclose)

    def _seal(self) -> Seal | None:
        return node_signer(self.spec, self._data).sealed if self.spec.signs else None

    def _drop_replies(self, keys: Sequence[Key] | None) -> None:
        """Keep caches true to the store: called after each commit."""
        for packets in self._packets:
            if keys is None:
                packets.clear()
            else:
                packets.drop(keys)

    # --- front-ends and sockets ---

    async def _serve(self, stack: AsyncExitStack, sources: Sources) -> None:
        spec = self.spec
        rules = self.topology.rules
        certification = Certification(lambda: server_key(self._data.node_path(spec.name)))
        stack.callback(certification.close)
        responder = Responder(
            sources,
            self._counters,
            certification.certifier,
            site=encode_site(self.site),
            serial=self.site.serial_number,
            rules=rules,
        )
        self._handle = HandleFront(sources, self._counters, responder, rules=rules)
        if self._store is not None:
            self._desk = self._administration(stack, sources, certification.certifier)
            responder.dialogue = self._desk.dialogue
        view = ZoneView(
            tuple(self.topology.zone.encode().split(b".")),
            name_server(spec.host, ports(self.topology, spec).dns),
            self._holdings.tree.homed if self._holdings is not None else (),
            sources.recursive,
            lambda: self._holdings.changes if self._holdings is not None else 1,
            self.topology.rules,
        )
        self._dns = DnsFront(sources, self._counters, view)
        json = self._json_api(sources)
        self._plain = PlainHttp(sources, self._counters, json, SERVER)
        self._packets += [front.packets for front in (self._handle, self._dns, self._plain)]
        self._packets.append(responder.signed)
        http = HttpFront(
            sources,
            self._counters,
            [NodeCollector(spec.name, spec.role, self._counters, self._figures())],
            json=json,
            own_step=self._own_step,
            verifier=self._verifier(sources),
            recount=None if self._holdings is None else self._holdings.count,
            proxy=ProxyFront(
                sources, self._counters, self._facts(), self._responsible, self.topology.rules
            ),
            rules=self.topology.rules,
        )
        await self._bind(stack, http)
        http.serving = True
        stack.callback(setattr, http, "serving", False)

    def _verifier(self, sources: Sources) -> Verifier | None:
        """What checks signed records, where other nodes can be asked for the certificates."""
        if not sources.recursive:
            return None
        root = published_site(self.topology, self.topology.root, self._data)
        return Verifier(
            lambda key: sources.resolve_later(Query(str(key).encode(), key)),
            [trust_root(root)],
            self._clock,
            self.topology.rules,
        )

    def _json_api(self, sources: Sources) -> JsonApi:
        rules = self.topology.rules
        administration = None
        if self._store is not None:
            administration = JsonAdministration(
                self._desk.service,
                self._desk.verifier,
                sources.decide,
                self._counters,
                responsible=self._responsible,
                rules=rules,
            )
        return JsonApi(
            sources,
            self._counters,
            site=lambda: site_to_json(self.site),
            responsible=self._responsible,
            administration=administration,
            rules=rules,
        )

    def _administration(
        self, stack: AsyncExitStack, sources: Sources, certifier: Certifier
    ) -> Desk:
        assert self._store is not None
        assert self._holdings is not None
        desk = Desk(
            self._store,
            self._registrar,
            self._holdings.tree,
            certifier,
            self._clock,
            self._counters,
            resolve=sources.decide,
            serial=lambda: self._handle.responder.serial,
            administrators=[bootstrap_administrator(self.spec.prefix or PREFIX_RECORDS)],
            elsewhere=OtherNodes(
                Client(self._clock),
                lambda: published_site(self.topology, self.topology.root, self._data),
                self._clock,
            ),
            rules=self.topology.rules,
        )
        stack.callback(desk.close)
        return desk

    async def _bind(self, stack: AsyncExitStack, http: HttpFront) -> None:
        numbers, host = ports(self.topology, self.spec), self.spec.host
        handle, dns = self._handle, self._dns
        udp: list[tuple[str, DatagramFront, int]]
        udp = [("Handle", handle, numbers.handle), ("DNS", dns, numbers.dns)]
        for protocol, front, port in udp:
            service = f"{protocol} over UDP"
            server = await self._listen(service, port, listen(front, host, port))
            self._datagrams[protocol.lower()] = server
            stack.push_async_callback(server.drain, DRAIN_SECONDS)
        streams = TcpServer(
            handle.message, MessageStream, handle.garbage, connected=handle.connected
        )
        dns_streams = TcpServer(dns.message, Splitter, dns.garbage)
        for service, listener, port in (
            ("Handle over TCP", streams, numbers.handle),
            ("DNS over TCP", dns_streams, numbers.dns),
        ):
            await self._listen(service, port, listener.bind(host, port))
            stack.push_async_callback(listener.drain, DRAIN_SECONDS)
        web = HttpServer(application(http, *self._management()), http, self._plain)
        stack.push_async_callback(web.drain)
        await self._listen("HTTP", numbers.http, web.bind(host, numbers.http))
        directory = self._data.node_path(self.spec.name)
        client_ca = self.spec.settings.get("client_ca")
        assert client_ca is None or isinstance(client_ca, str)
        tls = tls_context(directory, self.spec.name, host, client_ca)
        await self._listen("HTTPS", numbers.https, web.bind(host, numbers.https, tls))
        metrics = HttpServer(metrics_application(http), http)
        stack.push_async_callback(metrics.drain)
        await self._listen("metrics", numbers.metrics, metrics.bind(host, numbers.metrics))

    async def _listen(self, service: str, port: int, binding: Awaitable[Any]) -> Any:
        try:
            return await binding
        except OSError as error:
            raise PortInUse(
                self.spec.name, service, self.spec.host, port, self.topology.base_port, error
            ) from error

    def _management(self) -> Iterator[Callable[[Any], None]]:
        yield add_tunnel(self._handle.tunnelled)
        if self._store is not None:
            routes = IdentifierRoutes(
                self._registrar,
                self._store.reads,
                self.topology.rules,
                self._counters.changes,
            )
            yield routes.add_to
            bulk = BulkRoutes(
                self._registrar,
                self._store.reads,
                self.topology.rules,
                self._clock,
                self._counters.changes,
            )
            yield bulk.add_to
            yield CheckpointRoutes(self._store).add_to

    # --- what others ask about the node ---

    def _responsible(self, query: Query) -> str | None:
        """The node that answers for an identifier, as far as the topology file says."""
        key = query.key
        prefix = (parent(key.suffix) or "") if key.is_prefix_record else key.prefix
        for above in ancestors(prefix) if prefix else ():
            home = self.topology.home_of(above)
            if home is not None:
                return _called(self.topology, home)
        return _called(self.topology, self.topology.root)

    def _facts(self) -> NodeFacts:
        """What the start page says."""
        places = endpoints(self.topology, self.spec)
        titles = {"en": self.spec.title.en, "zh": self.spec.title.zh}
        shown = [("Handle", f"hdl://{places.handle}"), ("HTTP", places.http)]
        shown += [("HTTPS", places.https), ("DNS", f"dns://{places.dns}")]
        return NodeFacts(self.spec.role, self.spec.prefix, titles, tuple(shown), self._examples)

    def _examples(self) -> list[str]:
        """A few identifiers of the node's own prefixes."""
        return [] if self._holdings is None else list(map(str, self._holdings.examples))

    def _own_step(self, question: str, response: str, seconds: float) -> Step:
        places = endpoints(self.topology, self.spec)
        return Step(
            self.spec.name,
            self.spec.role,
            places.handle,
            "local",
            question,
            response,
            round(seconds * 1000, 3),
        )

    def _figures(self) -> Iterator[Figure]:
        if self._holdings is not None:
            yield (
                "idnode_store_identifiers",
                "Identifiers registered",
                "gauge",
                partial(_as_float, self._holdings, "identifiers"),
            )
        if self._store is not None:
            for name in self._store.figures():
                text = "Octets of the store: its file, and the log of writes not moved there yet"
                yield (
                    f"idnode_store_{name}",
                    text,
                    "gauge",
                    partial(_store_figure, self._store, name),
                )
        for protocol, front in (("handle", self._handle), ("dns", self._dns)):
            packets = front.packets
            yield (
                f"idnode_{protocol}_packet_cache_hits",
                "Replies taken from the packet cache",
                "counter",
                partial(_as_float, packets, "hits"),
            )
            yield (
                f"idnode_{protocol}_packet_cache_entries",
                "Replies in the packet cache",
                "gauge",
                partial(_as_float, packets, "size"),
            )
            for name, text in _DATAGRAM_FIGURES.items():
                read = partial(self._of_datagrams, protocol, name)
                yield f"idnode_{protocol}_datagrams_{name}", text, "counter", read
        if self.spec.role == "recursive":
            yield from _recursion_figures(self._recursion)

    def _of_datagrams(self, protocol: str, name: str) -> float:
        return float(getattr(self._datagrams.get(protocol), name, 0))


def _recursion_figures(recursion: Recursor) -> Iterator[Figure]:
    texts = {
        "walks": "Resolutions that asked other nodes",
        "queries": "Requests sent to other nodes",
        "referrals": "Referrals followed",
        "timeouts": "Requests to other nodes that nobody answered",
        "failures": "Resolutions that ended in no answer",
        "cache_hits": "Resolutions answered from the answer cache",
        "joined": "Questions that waited for the walk of another",
    }
    for name, text in texts.items():
        yield (
            f"idnode_recursion_{name}",
            text,
            "counter",
            partial(_as_float, recursion.stats, name),
        )


def _store_figure(store: Store, name: str) -> float:
    return store.figures()[name]


def _as_float(owner: object, name: str) -> float:
    return float(getattr(owner, name))


def _called(topology: Topology, node: NodeSpec) -> str:
    where = endpoints(topology, node)
    prefix = f", prefix {node.prefix}" if node.prefix else ""
    return f"{node.role} node {node.name}{prefix} (hdl://{where.handle}, {where.http})"
