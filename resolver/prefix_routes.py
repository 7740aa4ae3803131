"""Where enterprise prefixes are served: by the sector node, or by nodes of the enterprises' own.

What an enterprise says of its node makes the sector node send to no address but the hosts of its
topology: a site may name ports there, and is fetched from the nodes of the topology alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from registry import outcomes
from registry.clock import Clock
from registry.errors import DecodeError, InvalidValue
from registry.http.prefix_views import Route
from registry.prefixes.allocations import Allocation, Hosting
from registry.prefixes.records import admin_value, derived_value, site_value
from registry.trust.signing import Signer
from registry.values.json_members import Members
from registry.values.key import decode_public_key
from registry.values.site import Site, decode_site, encode_site
from registry.values.site_json import site_from_json
from registry.values.value import Value
from resolver.client import Client, ExchangeFailed
from resolver.key_hierarchy import key_values
from resolver.query import Refused
from resolver.topology import NodeSpec, Topology, endpoints, ports
from resolver.transports.http_client import NoReply, fetch

#: Seconds for a node to hand out its site.
_PATIENCE: Final = 3.0
_LOWEST_PORT: Final = 1024
_MAX_SERVERS: Final = 8


class PrefixRoutes:
    """The routes of the enterprise prefixes of a sector node, whose own site is `own`."""

    def __init__(
        self, topology: Topology, spec: NodeSpec, own: Site, signer: Signer, clock: Clock
    ) -> None:
        self._hosts = frozenset(node.host for node in topology.nodes)
        self._urls = frozenset(endpoints(topology, node).http for node in topology.nodes)
        self._own_ports = frozenset((spec.host, port) for port in ports(topology, spec))
        self._own = encode_site(own)
        self._signer = signer
        self._clock = clock
        self._client = Client(clock)

    async def read(self, route: Route) -> bytes:
        """The HS_SITE data of a route as it was sent. Raises InvalidValue."""
        if (route.site is None) == (not route.url):
            raise InvalidValue("either a site or the URL of a node is needed", field="site")
        members = route.site if route.site is not None else await self._fetch(route.url)
        site = site_from_json(Members(members, "site"))
        self._check(site)
        return encode_site(site)

    def record_of(self, allocation: Allocation, kept: bytes | None) -> Sequence[Value]:
        """The values of the prefix's record; `kept` is the record as it is."""
        prefix = allocation.prefix
        if allocation.hosting is Hosting.HOSTED:
            return [site_value(self._own), admin_value(prefix)]
        key = decode_site(allocation.site).servers[0].public_key
        return [
            site_value(allocation.site),
            derived_value(allocation.site),
            admin_value(prefix),
            *key_values(self._signer, prefix, key, kept, int(self._clock.now())),
        ]

    async def answers(self, prefix: str, site: bytes) -> bool:
        """Whether the servers of a site (HS_SITE data) answer for a prefix."""
        try:
            answer = await self._client.resolve(f"{prefix}/ADMIN", [decode_site(site)])
        except ExchangeFailed:
            return False
        return not (isinstance(answer, Refused) and answer.outcome is outcomes.NOT_RESPONSIBLE)

    async def _fetch(self, url: str) -> object:
        """What a node of the topology says of its site. Raises InvalidValue."""
        if url.rstrip("/") not in self._urls:
            raise InvalidValue("it is not the HTTP address of a node of the topology", field="url")
        try:
            reply = await fetch("GET", f"{url.rstrip('/')}/api/site", timeout=_PATIENCE)
        except NoReply as error:
            raise InvalidValue(f"no site could be had: {error}", field="url") from None
        return reply.document().get("site")

    def _check(self, site: Site) -> None:
        """Raise InvalidValue for a site that cannot be one of an enterprise's node."""
        if not 0 < len(site.servers) <= _MAX_SERVERS:
            raise InvalidValue(f"a site has 1 to {_MAX_SERVERS} servers", field="site/servers")
        for server in site.servers:
            if server.address not in self._hosts:
                message = f"{server.address} is no host of the topology"
                raise InvalidValue(message, field="site/servers")
            for interface in server.interfaces:
                place = server.address, interface.port
                if interface.port < _LOWEST_PORT or place in self._own_ports:
                    message = f"port {interface.port} is not one of an enterprise's node"
                    raise InvalidValue(message, field="site/servers")
            try:
                decode_public_key(server.public_key)
            except DecodeError as error:
                raise InvalidValue(f"the public key: {error}", field="site/servers") from None
