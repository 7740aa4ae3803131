"""What the floods of the benchmark of overload are made of."""

from __future__ import annotations

import socket

import pytest

from load_tests.bench import peers
from load_tests.bench.asker import FIRST_SOURCE, Flood
from load_tests.bench.overload import junk, unknown
from load_tests.requests import handle
from resolver.codecs.handle.bodies.resolution import decode_resolve_request
from resolver.codecs.handle.message import decode_message

REQUESTS = [handle.resolution(b"88.901.7/%d" % number, b"").request for number in range(300)]


def test_junk_is_made_of_requests_in_three_ways_and_always_the_same():
    made = [*junk(REQUESTS)]
    assert made == [*junk(REQUESTS)]
    for turn, (request, octets) in enumerate(zip(REQUESTS, made, strict=True)):
        if turn % 3 == 1:
            assert request.startswith(octets)
            assert octets != request
        else:
            assert len(octets) == len(request)
        if turn % 3 == 2:
            assert sum(a != b for a, b in zip(octets, request, strict=True)) <= 1


def test_unknown_names_are_asked_for_properly():
    messages = [decode_message(one) for one in unknown(9)]
    asked = {decode_resolve_request(message.body).handle for message in messages}
    assert asked == {b"88.901.7/NOBODY-%d" % number for number in range(9)}


def test_a_flood_comes_from_as_many_addresses(tmp_path):
    if peers.installed("cc") is None:
        pytest.skip("no C compiler")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as target:
        target.bind(("127.0.0.1", 0))
        sent = Flood(tmp_path, REQUESTS[:10], 3).send(target.getsockname()[1], 0.05)
        came = [target.recvfrom(2048) for _ in range(60)]
    assert sent >= len(came)
    first, _, last = FIRST_SOURCE.rpartition(".")
    assert [octets for octets, _ in came] == REQUESTS[:10] * 6
    hosts = [f"{first}.{int(last) + number % 3}" for number in range(len(came))]
    assert [host for _, (host, _) in came] == hosts
