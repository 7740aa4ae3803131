"""What a node is to DNS: the zone that all names share, the cuts in it, and its name servers.

Every homed prefix is a zone of its own; "" is the top one, which the root homes. A delegated prefix
is a zone cut; its name server is `ns` under it, at the address that the delegation's site has.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from registry.errors import DecodeError
from registry.prefixes.tree import TOP
from registry.schemes.dns_name import Place, PlaceKind, from_labels
from registry.schemes.handle import (
    DEFAULT_RULES,
    PREFIX_RECORDS,
    HandleRules,
    Key,
    ancestors,
    prefix_record,
)
from registry.values.site import Site, decode_site
from registry.values.value import decode_value, scan
from resolver.codecs.dns.reply import Question

_SITE_TYPES: Final = frozenset({b"HS_SITE", b"HS_SITE.6", b"HS_SITE.PREFIX"})
#: The attribute of a site that holds the port of its DNS service, in decimal digits.
_PORT_ATTRIBUTE: Final = b"dns_port"
#: Most addresses of a name server in one reply.
_MAX_ADDRESSES: Final = 4
#: The root's own record `0.NA/0.NA` lies below the names of these, so they exist.
_ABOVE_ROOT_RECORD: Final = frozenset({"0", PREFIX_RECORDS})


@dataclass(frozen=True, slots=True)
class NameServer:
    """Where DNS is spoken: packed IPv4 and IPv6 addresses, and the port (None: not known)."""

    addresses: tuple[bytes, ...] = ()
    port: int | None = None


@dataclass(frozen=True, slots=True)
class ZoneView:
    """A node's facts for DNS. `homed` is its live set of prefixes; `serial` counts its changes."""

    zone: tuple[bytes, ...]
    server: NameServer
    homed: Container[str] = frozenset()
    recursion: bool = False
    serial: Callable[[], int] = field(default=lambda: 1)
    rules: HandleRules = DEFAULT_RULES

    def apex_of(self, prefix: str) -> str | None:
        """The prefix of the zone here that names under `prefix` lie in, None if there is none."""
        if prefix:
            for above in ancestors(prefix):
                if above in self.homed:
                    return above
        return TOP if TOP in self.homed else None

    def has(self, prefix: str) -> bool:
        """Whether the name of a prefix is known to exist without a look-up."""
        return prefix in self.homed or (prefix in _ABOVE_ROOT_RECORD and TOP in self.homed)


def name_server(host: str, port: int) -> NameServer:
    """The name server at an address. Raises ValueError for text that is no address."""
    return NameServer((ip_address(host).packed,), port)


def locate(question: Question, view: ZoneView) -> Key | Place | None:
    """What the name in a question stands for; None outside the zone."""
    return from_labels(question.labels, view.zone, view.rules)


def lookup_key(target: Key | Place, view: ZoneView) -> Key | None:
    """The identifier to resolve so that a question about `target` can be answered; None for none.

    For a place the answer shows whether its prefix exists or is delegated: a recursive node asks
    for the prefix record, an authority for anything under the prefix.
    """
    if isinstance(target, Key):
        return target
    kind, prefix = target
    if view.has(prefix):
        return None
    if not view.recursion:
        return Key(prefix, "") if prefix else None
    if kind is PlaceKind.UNKNOWN:
        return None
    return prefix_record(prefix or PREFIX_RECORDS)


def servers_of(record: bytes) -> NameServer:
    """The name server that the sites in a record stand for; unreadable ones are passed over."""
    addresses: dict[bytes, None] = {}
    port = None
    for site in _sites(record):
        for server in site.servers:
            addresses.setdefault(ip_address(server.address).packed)
        port = port or _port(site)
    return NameServer(tuple(addresses)[:_MAX_ADDRESSES], port)


def _sites(record: bytes) -> Iterator[Site]:
    for span in scan(record):
        if span.type.upper() in _SITE_TYPES:
            with suppress(DecodeError):
                yield decode_site(decode_value(record[span.start : span.end]).data)


def _port(site: Site) -> int | None:
    for attribute in site.attributes:
        if attribute.name == _PORT_ATTRIBUTE and attribute.value.isdigit():
            port = int(attribute.value[:6])
            return port if 0 < port < 65_536 else None
    return None
