"""Where a server is reached, and which servers to ask about an identifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from registry.errors import DecodeError
from registry.schemes.handle import Key
from registry.values import site as hs_site
from registry.values.key_objects import PublicKeyObject, load_public_key
from registry.values.site import Site, server_index
from resolver.recursion.budget import DEFAULT_LIMITS
from resolver.recursion.targets import HTTP, TCP, UDP, Label, Target, choose
from resolver.transports.outbound import Unreachable, Unusable


class Endpoint(NamedTuple):
    """Where a server listens: by UDP and TCP at `port`, by the HTTP tunnel at `http`.

    `public_key` (HS_PUBKEY data) is what it signs certified replies with; empty if not known.
    """

    host: str
    port: int
    http: int | None = None
    public_key: bytes = b""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def targets(
    key: Key, where: Endpoint | Sequence[Site], protocol: str | None = None
) -> tuple[Target, ...]:
    """The servers to ask about `key`, best first; `protocol` keeps to one."""
    if isinstance(where, Endpoint):
        ports = {UDP: where.port, TCP: where.port}
        if where.http is not None:
            ports[HTTP] = where.http
        label = Label(str(where), "", str(where))
        found: tuple[Target, ...] = (Target(label, where.host, ports, where.public_key),)
    else:
        found = choose(tuple(where), key, DEFAULT_LIMITS)
    if protocol is None:
        return found
    return tuple(
        Target(
            one.label,
            one.host,
            {name: port for name, port in one.ports.items() if name == protocol},
            one.public_key,
        )
        for one in found
    )


def administration_endpoint(key: Key, sites: Sequence[Site]) -> Endpoint:
    """The server that administers `key`: in a primary site, by the site's hash. Raises Unreachable.

    Its TCP port is taken, and its HTTP port where it administers there too.
    """
    for site in sites:
        if not site.primary or not site.servers:
            continue
        place = server_index(str(key).encode(), site.hash_option, len(site.servers))
        server = site.servers[place]
        ports = {one.protocol: one.port for one in reversed(server.interfaces) if one.admin}
        if hs_site.TCP in ports:
            http = ports.get(hs_site.HTTP)
            return Endpoint(server.address, ports[hs_site.TCP], http, server.public_key)
    raise Unreachable(f"no server that administers {key} is published")


def server_key(public_key: bytes) -> PublicKeyObject:
    """The key that signs certified replies. Raises Unusable where there is none to be used."""
    try:
        return load_public_key(public_key)
    except DecodeError as error:
        raise Unusable(f"the server's key is not known or cannot be used: {error}") from None


def key_at(site: Site, endpoint: Endpoint) -> bytes:
    """The public key that a site publishes for the server at an endpoint, empty if none."""
    if endpoint.public_key:
        return endpoint.public_key
    same = [server for server in site.servers if server.address == endpoint.host]
    found = same or list(site.servers)
    return found[0].public_key if found else b""
