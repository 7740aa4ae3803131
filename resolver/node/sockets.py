"""The ports of a node: opening them, and saying plainly which one cannot be had."""

from __future__ import annotations

import errno
import os
from collections.abc import Awaitable, Iterable
from contextlib import AsyncExitStack
from typing import Any, Final

from resolver.administration import context
from resolver.codecs.dns.framing import Splitter
from resolver.codecs.handle.framing import MessageStream
from resolver.metrics import Counters
from resolver.node.fronts import Fronts
from resolver.node.management import AddRoutes
from resolver.node.setting import Setting
from resolver.pipeline import dns, json_api
from resolver.pipeline.handle import HandleFront
from resolver.pipeline.http import HttpFront
from resolver.server_keys import tls_context
from resolver.transports.datagram_front import DatagramFront
from resolver.transports.http import HttpServer, application, metrics_application
from resolver.transports.tcp import TcpServer
from resolver.transports.udp import UdpServer
from resolver.transports.udp_batches import BatchServer, listen

#: Seconds that requests under way get when the node ends.
DRAIN_SECONDS: Final = 3.0


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


class Sockets:
    """Opens the ports of a node; the stack it is given closes them, the last one first.

    Every method raises PortInUse.
    """

    def __init__(self, stack: AsyncExitStack, setting: Setting, counters: Counters) -> None:
        self._stack = stack
        self._setting = setting
        self._counters = counters
        self._host = setting.spec.host
        self._ports = setting.ports
        self._shared = setting.spec.workers > 1
        #: The servers of datagrams that are open, by protocol.
        self.datagrams: dict[str, BatchServer | UdpServer] = {}

    async def open_datagrams(self, fronts: Fronts) -> None:
        """Handle and DNS over UDP."""
        ports = self._ports
        services: list[tuple[str, DatagramFront, int, str]] = [
            ("Handle", fronts.handle, ports.handle, context.UDP),
            ("DNS", fronts.dns, ports.dns, dns.UDP),
        ]
        for protocol, front, port, label in services:
            opening = listen(
                front, self._host, port, self._counters.account(label), shared=self._shared
            )
            server = await self._listen(f"{protocol} over UDP", port, opening)
            self.datagrams[protocol.lower()] = server
            self._stack.push_async_callback(server.drain, DRAIN_SECONDS)

    async def open_streams(self, fronts: Fronts) -> None:
        """Handle and DNS over TCP."""
        ports = self._ports
        for service, listener, port, label in (
            ("Handle over TCP", self._handle_streams(fronts.handle), ports.handle, context.TCP),
            ("DNS over TCP", self._dns_streams(fronts.dns), ports.dns, dns.TCP),
        ):
            self._counters.connections[label] = listener.connections
            opening = listener.bind(self._host, port, shared=self._shared)
            await self._listen(service, port, opening)
            self._stack.push_async_callback(listener.drain, DRAIN_SECONDS)

    def _handle_streams(self, front: HandleFront) -> TcpServer:
        return TcpServer(
            front.message,
            MessageStream,
            front.garbage,
            connected=front.connected,
            busy=front.busy,
            account=self._counters.account(context.TCP),
        )

    def _dns_streams(self, front: dns.DnsFront) -> TcpServer:
        account = self._counters.account(dns.TCP)
        return TcpServer(front.message, Splitter, front.garbage, busy=front.busy, account=account)

    async def open_http(
        self, http: HttpFront, fronts: Fronts, add_routes: Iterable[AddRoutes]
    ) -> HttpServer:
        """HTTP and HTTPS."""
        account = self._counters.account(json_api.PROTOCOL)
        web = HttpServer(application(http, *add_routes), http, fronts.plain, account=account)
        self._counters.connections[json_api.PROTOCOL] = web.connections
        self._stack.push_async_callback(web.drain)
        host, ports, spec = self._host, self._ports, self._setting.spec
        await self._listen("HTTP", ports.http, web.bind(host, ports.http, shared=self._shared))
        client_ca = spec.settings.get("client_ca")
        assert client_ca is None or isinstance(client_ca, str)
        directory = self._setting.data.node_path(spec.name)
        tls = tls_context(directory, spec.name, host, client_ca)
        opening = web.bind(host, ports.https, tls, shared=self._shared)
        await self._listen("HTTPS", ports.https, opening)
        return web

    async def open_metrics(self, http: HttpFront) -> None:
        """Metrics and health, which the node's workers leave to the process that counts for all.

        So nobody else can share the node's ports unnoticed: this one is never shared.
        """
        server, port = HttpServer(metrics_application(http), http), self._ports.metrics
        self._stack.push_async_callback(server.drain)
        await self._listen("metrics", port, server.bind(self._host, port))

    async def _listen(self, service: str, port: int, binding: Awaitable[Any]) -> Any:
        try:
            return await binding
        except OSError as error:
            name, base = self._setting.spec.name, self._setting.topology.base_port
            raise PortInUse(name, service, self._host, port, base, error) from error
