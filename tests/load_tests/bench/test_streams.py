"""Who asks over connections gets an answer to each request, and knows whose it is."""

from __future__ import annotations

import contextlib
import os
import socket
import threading

import pytest

from load_tests.bench import peers, streams
from load_tests.bench.measuring import Contender
from registry.schemes.handle import parse
from registry.values.value import Value, encode_record

KNOWN = [(parse(f"88.901/A-{i}"), encode_record([Value(1, b"URL", b"x" * i)])) for i in range(9)]
LOADS = {
    "handle": (streams.over_handle(KNOWN), streams.HANDLE),
    "dns": (streams.over_dns(KNOWN), streams.DNS),
}

pytestmark = pytest.mark.skipif(peers.installed("cc") is None, reason="no C compiler")


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def echo(tmp_path, listener):
    port = listener.getsockname()[1]
    listener.close()
    with peers.stream_echo(tmp_path, port, min(os.sched_getaffinity(0))) as server:
        yield Contender("echo", server, port, LOADS["handle"][0])


@pytest.mark.parametrize("protocol", LOADS)
@pytest.mark.parametrize(("lanes", "window"), [(1, 1), (3, 16)])
def test_each_request_is_answered(protocol, lanes, window, tmp_path, echo):
    load, stream = LOADS[protocol]
    asked = streams.asker_of(tmp_path, load.templates, stream).ask(
        echo.port, 0.05, lanes=lanes, window=window
    )
    assert asked.answers > 0
    assert (asked.lost, asked.strange) == (0, 0)


def test_what_answers_nothing_asked_is_strange(tmp_path, listener):
    load, stream = LOADS["dns"]

    def answer_twice() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(ConnectionError):
            while data := connection.recv(4096):
                connection.sendall(data + data)

    answering = threading.Thread(target=answer_twice)
    answering.start()
    asker = streams.asker_of(tmp_path, load.templates, stream)
    asked = asker.ask(listener.getsockname()[1], 0.05, lanes=1, window=1)
    answering.join()
    assert asked.strange > 0
