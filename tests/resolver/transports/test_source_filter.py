"""Datagrams held back in the kernel, told by who sent them."""

from __future__ import annotations

import socket

import pytest

from resolver.transports.batches import AVAILABLE
from resolver.transports.datagram_socket import bound_socket
from resolver.transports.source_filter import hold_back

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="the filter is Linux's")


@pytest.fixture
def server():
    with bound_socket("127.0.0.1", 0) as sock:
        yield sock


def sent(server: socket.socket, host: str, count: int) -> int:
    """How many datagrams of a host got through."""
    with socket.socket(server.family, socket.SOCK_DGRAM) as client:
        client.bind((host, 0))
        for _ in range(count):
            client.sendto(b"?", server.getsockname())
    arrived = 0
    while True:
        try:
            server.recv(10)
        except BlockingIOError:
            return arrived
        arrived += 1


def test_one_source_is_kept_out_and_no_other(server):
    hold_back(server, {"127.0.0.2": 0.0})
    assert sent(server, "127.0.0.2", 10) == 0
    assert sent(server, "127.0.0.3", 10) == 10


def test_each_source_has_its_own_share(server):
    hold_back(server, {"127.0.0.2": 0.5, "127.0.0.3": 0.0, "2001:db8::1": 0.0})
    assert 0 < sent(server, "127.0.0.2", 400) < 400
    assert sent(server, "127.0.0.3", 10) == 0
    assert sent(server, "127.0.0.4", 10) == 10


def test_the_fence_is_taken_down(server):
    hold_back(server, {"127.0.0.2": 0.0})
    hold_back(server, {})
    assert sent(server, "127.0.0.2", 10) == 10


def test_sources_with_long_addresses():
    try:
        server = bound_socket("::1", 0)
    except OSError:
        pytest.skip("no IPv6 here")
    with server:
        hold_back(server, {"::1": 0.0, "127.0.0.1": 0.5})
        assert sent(server, "::1", 10) == 0
        hold_back(server, {"::2": 0.0})
        assert sent(server, "::1", 10) == 10
