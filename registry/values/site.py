"""HS_SITE: how to reach the servers of a prefix, and which of them has a handle (RFC 3651 3.2.2).

format version 2, protocol major 1, minor 1, serial number 2, flags 1, hash option 1, hash filter
string, attributes (count; name string, value string), servers (count; id 4, address 16, public key
string, interfaces (count; type 1, protocol 1, port 4)). An IPv4 address stands in the last 4 octets
of the 16, the others are zero. HS_SITE.6 and HS_SITE.PREFIX have the same data.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from registry.values.wire import WireReader, string, u32

PRIMARY, MULTI_PRIMARY = 0x80, 0x40
HASH_PREFIX, HASH_SUFFIX, HASH_ALL = 0, 1, 2
OUT_OF_SERVICE, ADMIN, QUERY = 0, 1, 2
UDP, TCP, HTTP, HTTPS = 0, 1, 2, 3

_HEAD: Final = struct.Struct(">HBBHBB")
_SERVER: Final = struct.Struct(">I16s")
_INTERFACE: Final = struct.Struct(">BBI")
_IPV4_LEAD: Final = bytes(12)
_MIN_ATTRIBUTE_SIZE: Final = 8
_MIN_SERVER_SIZE: Final = 28
_HASH_OCTETS: Final = 4


@dataclass(frozen=True, slots=True)
class Attribute:
    """A name and a value in UTF-8: `desc`, `domain`, `path`, `alt_addr.N`."""

    name: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Interface:
    """A port of a server: `kind` is ADMIN, QUERY, both or OUT_OF_SERVICE; `protocol` UDP…HTTPS."""

    kind: int
    protocol: int
    port: int

    @property
    def admin(self) -> bool:
        return bool(self.kind & ADMIN)

    @property
    def query(self) -> bool:
        return bool(self.kind & QUERY)


@dataclass(frozen=True, slots=True)
class Server:
    """One server: `address` is an IPv4 or IPv6 address as text, `public_key` HS_PUBKEY data."""

    server_id: int
    address: str
    public_key: bytes
    interfaces: tuple[Interface, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """The servers that share the handles of a prefix among them.

    `serial_number` (0 to 65535) grows with every change of the site; `flags` are PRIMARY and
    MULTI_PRIMARY; `hash_option` says by which part of a handle its server is chosen.
    """

    servers: tuple[Server, ...]
    attributes: tuple[Attribute, ...] = ()
    serial_number: int = 1
    flags: int = PRIMARY
    hash_option: int = HASH_ALL
    hash_filter: bytes = b""
    protocol: tuple[int, int] = (2, 11)
    version: int = 1

    @property
    def primary(self) -> bool:
        return bool(self.flags & PRIMARY)

    @property
    def multi_primary(self) -> bool:
        return bool(self.flags & MULTI_PRIMARY)


def address_octets(address: str) -> bytes:
    """The 16 octets of an IPv4 or IPv6 address. Raises ValueError (no scope is allowed)."""
    if ":" not in address:
        return _IPV4_LEAD + IPv4Address(address).packed
    parsed = IPv6Address(address)
    if parsed.scope_id is not None:
        raise ValueError(f"{address!r} has a scope")
    return parsed.packed


def address_text(octets: bytes) -> str:
    """The address that 16 octets stand for: IPv4 if all but the last 4 are zero."""
    if octets.startswith(_IPV4_LEAD):
        return str(IPv4Address(octets[12:]))
    return str(IPv6Address(octets))


def encode_site(site: Site) -> bytes:
    """The data of an HS_SITE value. Raises ValueError for an address that is none."""
    parts = [
        _HEAD.pack(site.version, *site.protocol, site.serial_number, site.flags, site.hash_option),
        string(site.hash_filter),
        u32(len(site.attributes)),
        *(string(attribute.name) + string(attribute.value) for attribute in site.attributes),
        u32(len(site.servers)),
        *map(_encode_server, site.servers),
    ]
    return b"".join(parts)


def _encode_server(server: Server) -> bytes:
    parts = [
        _SERVER.pack(server.server_id, address_octets(server.address)),
        string(server.public_key),
        u32(len(server.interfaces)),
        *(_INTERFACE.pack(one.kind, one.protocol, one.port) for one in server.interfaces),
    ]
    return b"".join(parts)


def decode_site(data: bytes) -> Site:
    """The site in the data of an HS_SITE value; no octets may be left over. Raises DecodeError."""
    reader = WireReader(data)
    version, major, minor, serial_number, flags, hash_option = _HEAD.unpack(
        reader.take(_HEAD.size, "site")
    )
    hash_filter = reader.string("hash filter")
    attributes = tuple(
        Attribute(reader.string("attribute name"), reader.string("attribute value"))
        for _ in range(reader.count("attribute", _MIN_ATTRIBUTE_SIZE))
    )
    servers = tuple(_read_server(reader) for _ in range(reader.count("server", _MIN_SERVER_SIZE)))
    reader.finish("site")
    return Site(
        servers,
        attributes,
        serial_number,
        flags,
        hash_option,
        hash_filter,
        (major, minor),
        version,
    )


def _read_server(reader: WireReader) -> Server:
    server_id, address = _SERVER.unpack(reader.take(_SERVER.size, "server"))
    public_key = reader.string("server public key")
    interfaces = tuple(
        Interface(*_INTERFACE.unpack(reader.take(_INTERFACE.size, "interface")))
        for _ in range(reader.count("interface", _INTERFACE.size))
    )
    return Server(server_id, address_text(address), public_key, interfaces)


def site_hash(handle: bytes, option: int = HASH_ALL) -> int:
    """The hash of a handle (0 to 2**31) by which the servers of a site divide their work.

    It is the absolute value of the last 4 octets, as a signed number, of the MD5 of the part that
    `option` names, a-z upper-cased. A handle without "/" has the prefix 0.NA. An option that is not
    known takes the whole handle.
    """
    prefix, slash, suffix = handle.partition(b"/")
    if not slash:
        prefix, suffix = b"0.NA", handle
    part = {HASH_PREFIX: prefix, HASH_SUFFIX: suffix}.get(option, handle)
    digest = hashlib.md5(part.upper(), usedforsecurity=False).digest()
    return abs(int.from_bytes(digest[-_HASH_OCTETS:], "big", signed=True))


def server_index(handle: bytes, option: int, count: int) -> int:
    """The place, from 0, of a handle's server among the `count` (at least 1) servers of a site."""
    return site_hash(handle, option) % count
