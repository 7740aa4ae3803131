"""What Locust users do, without Locust: one request, its reply, and every way it can fail."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from load_tests.job import Job
from load_tests.operations import OPERATIONS
from load_tests.oracle import Known
from load_tests.requests import http
from load_tests.requests.template import Template
from load_tests.users.exchanges import Exchange, ExchangeFailed, open_exchange
from registry.values.value import Value, encode_record
from tests.support.small_node import SmallNode
from tests.support.stream_service import stream_service

NAME = "88.901.7/BOT-1"
URL = "https://example.org/" + "x" * 600
TIME = "1970-01-01T00:00:00Z"
RESOLVING = ["handle-udp", "handle-tcp", "dns-udp", "http-get"]


@pytest.fixture
def node() -> Iterator[SmallNode]:
    form = {"index": 1, "type": "URL", "data": URL, "timestamp": TIME}
    with SmallNode({NAME: [form]}) as running:
        yield running


def exchange(node: SmallNode, operation: str, seconds: float = 5) -> Exchange:
    ports = {"handle": node.handle_port, "dns": node.dns_port, "http": node.http_port}
    return open_exchange(operation, "127.0.0.1", ports[OPERATIONS[operation].door], seconds)


def template(operation: str, url: str = URL) -> Template:
    job = Job("r", operation, "127.0.0.1", 1, (), zone="id.test")
    ask = OPERATIONS[operation].ask
    assert ask is not None
    made = ask(Known(NAME, encode_record([Value(1, b"URL", url.encode())])), job)
    assert made is not None
    return made


@pytest.mark.parametrize("operation", RESOLVING)
def test_right_replies_are_taken_one_after_the_other(node: SmallNode, operation: str) -> None:
    asking = exchange(node, operation)
    asked = template(operation)
    assert [asking.ask(asked) > 600 for _ in range(3)] == [True] * 3
    asking.close()


@pytest.mark.parametrize("operation", RESOLVING)
def test_a_wrong_reply_is_a_failure(node: SmallNode, operation: str) -> None:
    asking = exchange(node, operation)
    with pytest.raises(ExchangeFailed, match="wrong"):
        asking.ask(template(operation, url=URL + "?"))
    asking.close()


def test_a_connection_is_opened_anew_after_it_broke() -> None:
    replies = iter([None, b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"])
    with stream_service(lambda: lambda data: next(replies)) as service:
        asking = open_exchange("http-get", *service.address, 5)
        asked = http.denied_lookup(NAME, "localhost")
        with pytest.raises(ExchangeFailed, match="closed"):
            asking.ask(asked)
        with pytest.raises(ExchangeFailed, match="refused: status 503"):
            asking.ask(asked)
        asking.close()


@pytest.mark.parametrize("operation", ["handle-tcp", "http-get"])
def test_silence_over_tcp(operation: str) -> None:
    with stream_service(lambda: lambda data: b"") as service:
        asking = open_exchange(operation, *service.address, 0.05)
        with pytest.raises(ExchangeFailed, match="no reply"):
            asking.ask(template(operation))


def test_silence_over_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        asking = open_exchange("dns-udp", *silent.getsockname(), 0.05)
        with pytest.raises(ExchangeFailed, match="no reply"):
            asking.ask(template("dns-udp"))
        asking.close()
