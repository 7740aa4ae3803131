"""A node's zones: where names lie, and what must be resolved to speak of them."""

from __future__ import annotations

import socket

import pytest

from registry.values.site import Attribute, Server, Site, encode_site
from registry.values.value import Value, encode_record
from resolver.codecs.dns.zone import NameServer, ZoneView, name_server, servers_of
from tests.support.dns_messages import (
    NATIONAL,
    RECURSIVE,
    ROOT,
    SECTOR,
    asked_for,
    site_record,
)


@pytest.mark.parametrize(
    ("view", "prefix", "apex"),
    [
        (SECTOR, "88.901.7.1", "88.901.7"),
        (SECTOR, "88.901.8", "88.901"),
        (SECTOR, "88.9010", None),
        (SECTOR, "88", None),
        (SECTOR, "", None),
        (ROOT, "", ""),
        (ROOT, "99.1", ""),
        (RECURSIVE, "88.901", None),
    ],
)
def test_apex(view: ZoneView, prefix: str, apex: str | None) -> None:
    assert view.apex_of(prefix) == apex


@pytest.mark.parametrize(
    ("view", "name", "key"),
    [
        (SECTOR, "a.h.7.901.88.id.test", "88.901.7/A"),
        (SECTOR, "7.901.88.id.test", None),
        (NATIONAL, "901.88.id.test", "88.901/"),
        (NATIONAL, "_x.901.88.id.test", "88.901/"),
        (NATIONAL, "id.test", None),
        (ROOT, "0.id.test", None),
        (RECURSIVE, "a.h.7.901.88.id.test", "88.901.7/A"),
        (RECURSIVE, "ns.901.88.id.test", "0.NA/88.901"),
        (RECURSIVE, "id.test", "0.NA/0.NA"),
        (RECURSIVE, "_x.901.88.id.test", None),
    ],
)
def test_lookup_key(view: ZoneView, name: str, key: str | None) -> None:
    found = asked_for(name, view)
    assert (None if found is None else str(found)) == key


def packed(address: str) -> bytes:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.inet_pton(family, address)


def test_name_servers() -> None:
    assert name_server("127.0.0.1", 53) == NameServer((packed("127.0.0.1"),), 53)
    assert servers_of(site_record("2001:db8::1", 99)) == NameServer((packed("2001:db8::1"),), 99)
    with pytest.raises(ValueError, match="localhost"):
        name_server("localhost", 53)


@pytest.mark.parametrize("port", [b"", b"0", b"65536", b"x", b"9" * 5000, "²".encode()])
def test_a_port_that_is_none(port: bytes) -> None:
    site = Site((Server(1, "127.0.0.1", b"", ()),), (Attribute(b"dns_port", port),))
    record = encode_record([Value(1, b"HS_SITE", encode_site(site))])
    assert servers_of(record) == NameServer((packed("127.0.0.1"),), None)


def test_addresses_are_few_and_different() -> None:
    servers = tuple(Server(n, f"127.0.0.{n // 2}", b"", ()) for n in range(40))
    record = encode_record([Value(1, b"HS_SITE", encode_site(Site(servers)))])
    assert len(servers_of(record).addresses) == len(set(servers_of(record).addresses)) == 4


def test_sites_that_cannot_be_read() -> None:
    junk = Value(1, b"HS_SITE", b"junk")
    assert servers_of(encode_record([junk])) == NameServer()
    site = Value(2, b"hs_site", encode_site(Site((Server(1, "127.0.0.1", b"", ()),))))
    assert servers_of(encode_record([junk, site])) == NameServer((packed("127.0.0.1"),))
