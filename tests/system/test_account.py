"""Every request that a living node gets is in its account, whatever becomes of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from load_tests.bench.accounts import Account, fetch
from load_tests.requests import handle
from resolver.codecs.dns.framing import frame
from tests.support.dns_messages import query
from tests.support.processes import Node

JUNK = b"junk"
HANDLE = handle.resolution(b"88.901/NOBODY", b"").request
DNS = query("nobody.h.901.88.id.test.")
HTTP = b"GET /api/handles/88.901/NOBODY HTTP/1.1\r\nHost: node\r\n\r\n"


@contextmanager
def accounted(node: Node, protocol: str) -> Iterator[list[Account]]:
    """The account before and after; nothing of it is open at the end."""
    accounts = [fetch(node.metrics_url, protocol)]
    yield accounts
    accounts.append(fetch(node.metrics_url, protocol))
    for account in accounts:
        assert (account.balance, account.waiting) == (0, 0)


def _address(node: Node, service: str) -> tuple[str, int]:
    if service == "http":
        where = urlsplit(node.http)
        return where.hostname or "", where.port or 0
    address: tuple[str, int] = getattr(node, service)
    return address


def received(accounts: list[Account]) -> int:
    before, after = accounts
    return after.received - before.received


@pytest.mark.parametrize(
    ("service", "protocol", "request_"),
    [("handle", "handle-udp", HANDLE), ("dns", "dns-udp", DNS)],
    ids=["handle", "dns"],
)
def test_datagrams(node: Node, service: str, protocol: str, request_: bytes) -> None:
    with accounted(node, protocol) as accounts, socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.settimeout(10)
        sock.connect(_address(node, service))
        for _ in range(20):
            sock.send(JUNK)
            sock.send(request_)
            assert sock.recv(4096)
    assert received(accounts) == 40
    assert accounts[1].answered - accounts[0].answered == 20
    assert accounts[1].lost == accounts[0].lost


@pytest.mark.parametrize(
    ("service", "protocol", "request_"),
    [
        ("handle", "handle-tcp", HANDLE),
        ("dns", "dns-tcp", frame(DNS)),
        ("http", "http", HTTP),
    ],
    ids=["handle", "dns", "http"],
)
def test_requests_of_a_connection(node: Node, service: str, protocol: str, request_: bytes) -> None:
    with accounted(node, protocol) as accounts:
        for _ in range(5):
            with socket.create_connection(_address(node, service), 10) as sock:
                for _ in range(4):
                    sock.sendall(request_)
                    assert sock.recv(4096)
        with socket.create_connection(_address(node, service), 10) as sock:
            sock.sendall(request_[:20])
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(4096):
                pass
    assert received(accounts) in (20, 21), "a part of a request may be one"
