"""The UDP generator against a service on real sockets. Counts are judged, times are not."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from load_tests.histogram import bucket_of
from load_tests.measure import Summary, run_udp, saturation
from load_tests.pacing import SECOND
from load_tests.requests import handle
from load_tests.requests.template import Template
from load_tests.tally import Tally
from registry.values.value import Value, encode_record
from resolver.codecs.handle.bodies.resolution import (
    ResolveReply,
    decode_resolve_request,
    encode_resolve_reply,
)
from resolver.codecs.handle.fragments import split_message
from resolver.codecs.handle.message import decode_message, encode_message
from resolver.codecs.handle.reply import error_to, reply_to

NAMES = [f"88.901/BOT-{number}".encode() for number in range(10)]
RECORDS = {name: encode_record([Value(1, b"URL", name * 60)]) for name in NAMES}
Answer = Callable[[bytes], "list[bytes] | tuple[bytes, ...]"]


def answer(data: bytes) -> tuple[bytes, ...]:
    request = decode_message(data)
    name = decode_resolve_request(request.body).handle
    body = encode_resolve_reply(ResolveReply(name, RECORDS[name]))
    return split_message(encode_message(reply_to(request, 1, body, serial=1, now=0)))


@pytest.fixture
def templates() -> list[Template]:
    return [handle.resolution(name, record) for name, record in RECORDS.items()]


@contextmanager
def service(serve: Answer) -> Iterator[tuple[str, int]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(10)
        thread = threading.Thread(target=_serve, args=(sock, serve))
        thread.start()
        try:
            yield sock.getsockname()
        finally:
            sock.sendto(b"", sock.getsockname())
            thread.join()


def _serve(sock: socket.socket, serve: Answer) -> None:
    while True:
        data, address = sock.recvfrom(2048)
        if not data:
            return
        for packet in serve(data):
            sock.sendto(packet, address)


def test_open_loop_sends_what_was_planned_and_checks_every_reply(
    templates: list[Template],
) -> None:
    with service(answer) as target:
        summary = run_udp(target, templates, handle.UDP, rate=500, seconds=0.2)
    tally = summary.tally
    assert (tally.sent, tally.right, tally.failed, tally.strays) == (100, 100, 0, 0)
    assert tally.latency.total == tally.service.total == tally.lateness.total == 100
    assert tally.octets_received > 100 * 600


def test_poisson_arrivals_are_all_answered(templates: list[Template]) -> None:
    with service(answer) as target:
        summary = run_udp(target, templates, handle.UDP, rate=500, seconds=0.2, seed=5)
    assert summary.tally.sent == summary.tally.right > 50


def test_closed_loop_keeps_so_many_under_way(templates: list[Template]) -> None:
    with service(answer) as target:
        summary = run_udp(target, templates, handle.UDP, outstanding=4, seconds=0.1)
    assert summary.tally.sent == summary.tally.right >= 4


def test_a_planted_wrong_answer_is_found(templates: list[Template]) -> None:
    planted = answer(templates[3].request)[1]

    def forge(data: bytes) -> list[bytes]:
        """One octet of the second packet of one identifier's reply is another."""
        packets = list(answer(data))
        if packets[1][20:] == planted[20:]:
            packets[1] = packets[1][:-20] + b"?" + packets[1][-19:]
        return packets

    with service(forge) as target:
        summary = run_udp(target, templates, handle.UDP, rate=500, seconds=0.1)
    assert (summary.tally.right, summary.wrong) == (45, 5)
    assert not summary.held


def test_refusals_and_losses_are_told_apart(templates: list[Template]) -> None:
    def moody(data: bytes) -> list[bytes]:
        request = decode_message(data)
        name = decode_resolve_request(request.body).handle
        if name == NAMES[0]:
            return []
        if name == NAMES[1]:
            return [encode_message(error_to(request, 3, serial=1, now=0))]
        return list(answer(data))

    with service(moody) as target:
        summary = run_udp(target, templates, handle.UDP, rate=500, seconds=0.1, patience=0.3)
    tally = summary.tally
    assert (tally.right, tally.refused, tally.lost, tally.wrong) == (40, 5, 5, 0)
    assert tally.reasons == {"response code 3 (server_busy)": 5, "no reply": 5}


def test_where_nobody_listens_everything_is_lost(templates: list[Template]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        nobody = sock.getsockname()
    summary = run_udp(nobody, templates, handle.UDP, rate=100, seconds=0.1, patience=0.05)
    assert (summary.tally.right, summary.lost) == (0, 10)
    assert summary.tally.reasons["nobody listens (ICMP)"] > 0


def test_either_a_rate_or_a_number_under_way_is_needed(templates: list[Template]) -> None:
    with pytest.raises(ValueError, match="rate"):
        run_udp(("127.0.0.1", 9), templates, handle.UDP, seconds=1)


@pytest.mark.parametrize("capacity", [900.0, 5_000.0, 23_456.0])
def test_the_saturating_rate_is_found_from_below(capacity: float) -> None:
    def measure(rate: float) -> Summary:
        sent = round(rate)
        right = min(sent, round(capacity))
        return Summary(right, 0, 0, sent - right, 0, 0, Tally(sent, right=right, lost=sent - right))

    tried = saturation(measure, 1_000, 100_000)
    held = [rate for rate, summary in tried if summary.held]
    if capacity < 1_000:
        assert (len(tried), held) == (1, [])
    else:
        assert capacity * 0.94 < max(held) <= capacity


def test_the_search_stops_at_the_highest_rate() -> None:
    tried = saturation(lambda rate: Summary(rate, 0, 0, 0, 0, 0, Tally(1, right=1)), 10, 35)
    assert [rate for rate, _ in tried] == [10, 20, 35]


def test_an_open_loop_shows_a_pause_that_a_closed_loop_hides(templates: list[Template]) -> None:
    def pausing() -> Answer:
        """Answers nothing for half a second, beginning with the tenth request."""
        asked = itertools.count(1)
        go_on = threading.Event()

        def serve(data: bytes) -> tuple[bytes, ...]:
            if next(asked) == 10:
                threading.Timer(0.5, go_on.set).start()
                go_on.wait()
            return answer(data)

        return serve

    with service(pausing()) as target:
        opened = run_udp(target, templates, handle.UDP, rate=100, seconds=0.6)
    with service(pausing()) as target:
        closed = run_udp(target, templates, handle.UDP, outstanding=1, seconds=0.6)
    slow = SECOND // 10
    # Everything that was due within the pause waited for its end: at least 40 of 60 requests.
    assert opened.tally.latency.quantile(0.35) >= slow
    # One request waited, and those that would have come meanwhile were never sent.
    waited = [n for bucket, n in closed.tally.latency.counts.items() if bucket >= bucket_of(slow)]
    assert sum(waited) < 10
