"""HTTP load: connections are kept and bounded, what waits for one waits on the record."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time

from load_tests.generator import generate
from load_tests.http_connections import HttpConnections
from load_tests.pacing import SECOND, ClosedLoop, OpenLoop, Pacer, Stage, constant
from load_tests.recorder import Recorder
from load_tests.requests import http
from load_tests.requests.template import Template
from load_tests.tally import Tally
from registry.values.json_form import value_to_json
from registry.values.value import Value, encode_record
from tests.support.stream_service import Conversation, stream_service

VALUES = [Value(1, b"URL", b"https://example.org/1")]
BODY = json.dumps({"responseCode": 1, "values": [value_to_json(one) for one in VALUES]}).encode()
HUNDRED = Stage(0.1, 1000, 1000)


def reply(body: bytes = BODY, status: bytes = b"200 OK", headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, headers, len(body), body)


def asked() -> list[Template]:
    return [http.lookup("88.901/BOT-1", encode_record(VALUES), "localhost")]


def run(
    address: tuple[str, int], connections: int = 4, pacer: Pacer | None = None, patience: float = 2
) -> Tally:
    start = time.perf_counter_ns()
    recorder = Recorder(start, SECOND)
    carrier = HttpConnections(*address, recorder, round(patience * SECOND), connections)
    pacer = pacer or OpenLoop(constant([HUNDRED]), start)
    generate(carrier, itertools.cycle(asked()), pacer, recorder)
    return recorder.tally


def test_every_request_is_answered_over_few_connections() -> None:
    with stream_service(lambda: lambda data: reply()) as service:
        tally = run(service.address)
        assert 1 <= service.connections <= 4
    assert (tally.sent, tally.right, tally.failed) == (100, 100, 0)
    assert tally.octets_received == 100 * len(reply())


def test_a_closed_loop_needs_no_more_connections_than_requests_under_way() -> None:
    with stream_service(lambda: lambda data: reply()) as service:
        pacer = ClosedLoop(2, time.perf_counter_ns() + SECOND // 10)
        tally = run(service.address, connections=50, pacer=pacer)
        assert service.connections <= 2
    assert tally.sent == tally.right >= 2


def test_what_waits_for_a_connection_waits_on_the_record() -> None:
    go_on = threading.Event()
    heard = itertools.count(1)

    def held_up() -> Conversation:
        def converse(data: bytes) -> bytes:
            if next(heard) == 1:
                go_on.wait(10)
            return reply()

        return converse

    with stream_service(held_up) as service:
        timer = threading.Timer(0.3, go_on.set)
        timer.start()
        tally = run(service.address, connections=1)
        timer.join()
    assert (tally.right, tally.failed) == (100, 0)
    # Every request was due while the first one was held up; their service time does not show it.
    assert tally.latency.quantile(0.01) >= SECOND // 10
    assert tally.service.quantile(0.5) < tally.latency.quantile(0.5)


def test_what_finds_no_connection_in_time_is_lost() -> None:
    with stream_service(lambda: lambda data: b"") as service:
        tally = run(service.address, connections=1, patience=0.2)
    assert tally.right == 0
    assert tally.lost == 100
    assert set(tally.reasons) == {"no reply", "no connection became free"}


def test_connections_that_the_target_closes_are_opened_anew() -> None:
    with stream_service(lambda: lambda data: reply(headers=b"Connection: close\r\n")) as service:
        tally = run(service.address)
        assert service.connections == 100
    assert tally.right == 100


def test_a_connection_that_breaks_costs_its_request() -> None:
    def moody() -> Conversation:
        replies = itertools.count(1)
        return lambda data: None if next(replies) == 5 else reply()

    with stream_service(moody) as service:
        tally = run(service.address, connections=1)
    assert tally.reasons == {"connection closed by the target": 20}
    assert tally.right == 80


def test_other_replies_are_wrong_or_refusals() -> None:
    replies = itertools.cycle(
        [reply(), reply(b"{}"), reply(b"", b"503 Busy"), reply(b"", b"404 Not Found")]
    )
    with stream_service(lambda: lambda data: next(replies)) as service:
        tally = run(service.address, connections=1)
    assert (tally.right, tally.wrong, tally.refused) == (25, 50, 25)


def test_what_is_not_http_is_lost() -> None:
    with stream_service(lambda: lambda data: b"\x02\x0b" * 20 + b"\r\n\r\n") as service:
        tally = run(service.address)
    assert tally.lost == 100
    assert tally.reasons == {"the reply is not HTTP/1.1": 100}


def test_where_nobody_listens_everything_is_lost() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = listener.getsockname()
    tally = run(nobody)
    assert (tally.right, tally.lost) == (0, 100)
