"""Which servers of a zone to ask, in which order, over what and with how much patience.

Primary sites first; in a site the server that its hash option picks for the identifier, then the
one after it (the servers of one site share the identifiers by that hash, RFC 3651 section 3.2.2).
Every server is asked once over UDP before one is asked again with more patience, TCP comes last.
"""

from __future__ import annotations

import ipaddress
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from registry.schemes.handle import Key
from registry.values import site as hs_site
from registry.values.site import Server, Site, server_index
from resolver.recursion.budget import Limits

UDP, TCP, HTTP = "udp", "tcp", "http"
PROTOCOLS: Final = {hs_site.UDP: UDP, hs_site.TCP: TCP, hs_site.HTTP: HTTP}
#: Rounds over the servers: protocol and seconds of patience. The UDP figures are the Java client's.
ROUNDS: Final = ((UDP, 0.5), (UDP, 1.0), (UDP, 1.5), (TCP, 2.0))
#: Longest text of a site's attribute that is shown.
MAX_LABEL: Final = 64


class Fault(IntEnum):
    """Why a question brought nothing usable; a zone's gravest one names the outcome."""

    UNREACHABLE = 0
    TIMEOUT = 1
    TRUNCATED = 2
    UNUSABLE = 3
    CIRCLE = 4


class Label(NamedTuple):
    """How a server is called in a trace."""

    node: str
    role: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class Target:
    """One server: its address, its query ports by protocol, its public key (empty: not known)."""

    label: Label
    host: str
    ports: Mapping[str, int]
    public_key: bytes = b""


class Attempt(NamedTuple):
    """One question to one server over one protocol."""

    target: Target
    protocol: str
    port: int
    seconds: float


def plausible(host: str, port: int) -> bool:
    """Whether a published address can be one host's: not any, multicast or broadcast."""
    address = ipaddress.ip_address(host)
    return (
        0 < port < 65536
        and not address.is_unspecified
        and not address.is_multicast
        and not address.is_reserved
    )


def choose(
    sites: tuple[Site, ...],
    key: Key,
    limits: Limits,
    may_ask: Callable[[str, int], bool] = plausible,
) -> tuple[Target, ...]:
    """The servers to ask about `key`, best first, as many as `limits` allows."""
    ordered = sorted(sites, key=lambda site: not site.primary)
    return tuple(
        target
        for site in ordered[: limits.sites]
        for server in _servers(site, key)[: limits.servers_per_site]
        if (target := _target(site, server, may_ask)) is not None
    )


def _servers(site: Site, key: Key) -> tuple[Server, ...]:
    if len(site.servers) < 2:
        return site.servers
    first = server_index(str(key).encode(), site.hash_option, len(site.servers))
    return site.servers[first:] + site.servers[:first]


def _target(site: Site, server: Server, may_ask: Callable[[str, int], bool]) -> Target | None:
    host = server.address
    ports: dict[str, int] = {}
    for interface in server.interfaces:
        name = PROTOCOLS.get(interface.protocol)
        if interface.query and name is not None and may_ask(host, interface.port):
            ports.setdefault(name, interface.port)
    if not ports:
        return None
    return Target(_label(site, host, ports), host, ports, server.public_key)


def _label(site: Site, host: str, ports: dict[str, int]) -> Label:
    shown = f"[{host}]" if ":" in host else host
    endpoint = f"{shown}:{ports.get(UDP) or next(iter(ports.values()))}"
    attributes = {attribute.name: attribute.value for attribute in site.attributes}
    node = printable(attributes.get(b"node", b"")) or endpoint
    return Label(node, printable(attributes.get(b"role", b"")), endpoint)


def printable(text: bytes) -> str:
    """What a stranger wrote, cut and cleaned for showing."""
    shown = text[: 4 * MAX_LABEL].decode(errors="replace")
    return "".join(char for char in shown if char.isprintable())[:MAX_LABEL]


class Attempts:
    """The questions still to try in a zone; what the replies teach shortens the list."""

    def __init__(
        self, targets: tuple[Target, ...], rounds: tuple[tuple[str, float], ...] = ROUNDS
    ) -> None:
        self._left = deque(
            Attempt(target, protocol, port, seconds)
            for protocol, seconds in rounds
            for target in targets
            if (port := target.ports.get(protocol)) is not None
        )

    def next(self) -> Attempt | None:
        """The next question; None when all have failed."""
        return self._left.popleft() if self._left else None

    def learn(self, failed: Attempt, fault: Fault) -> None:
        """Strike what a failed question shows to be of no use; mere silence shows nothing."""
        if fault >= Fault.UNUSABLE:
            self._keep(lambda one: one.target is not failed.target)
        elif fault is Fault.UNREACHABLE:
            self._keep(
                lambda one: one.target is not failed.target or one.protocol != failed.protocol
            )
        elif fault is Fault.TRUNCATED:
            self._hurry_tcp(failed)

    def _hurry_tcp(self, failed: Attempt) -> None:
        """The reply does not come through over UDP: ask the same server over TCP at once."""
        mine = [one for one in self._left if one.target is failed.target and one.protocol == TCP]
        self._keep(lambda one: one.target is not failed.target)
        self._left.extendleft(mine)

    def _keep(self, wanted: Callable[[Attempt], bool]) -> None:
        self._left = deque(filter(wanted, self._left))
