"""Random datagrams, and ports that are made to answer each other."""

from __future__ import annotations

import itertools
import random

import pytest

from tests.support.bad_requests import (
    DNS_REFUSALS,
    HANDLE_DROPS,
    HANDLE_REFUSALS,
    KNOWN,
    WHOLE,
    good_dns,
    good_handle,
)
from tests.support.wire import Udp, resolve_request

SEED = 20_260_101


@pytest.mark.parametrize("protocol", ["handle", "dns"])
def test_random_datagrams(protocol, node):
    """Octets without sense, and good requests with some octets changed."""
    chance = random.Random(SEED)
    address, good, id_at = {
        "handle": (node.handle, good_handle(), slice(8, 12)),
        "dns": (node.dns, good_dns(), slice(0, 2)),
    }[protocol]
    with Udp(address, good=good, id_at=id_at) as peer:
        for number in range(600):
            datagram = bytearray(good if number % 2 else chance.randbytes(chance.randrange(200)))
            for _ in range(chance.randrange(1, 4) if datagram else 0):
                datagram[chance.randrange(len(datagram))] = chance.randrange(256)
            if bytes(datagram[id_at]) != good[id_at]:
                peer.provoke(bytes(datagram))


class Mirror:
    """Puts the reply of one of our ports to the other, and back, until one of them is silent."""

    def __init__(self, first: Udp, second: Udp) -> None:
        self._sides = (first, second)

    def packets(self, datagram: bytes) -> int:
        count = 0
        while replies := self._sides[count % 2].provoke(datagram):
            [datagram] = replies
            count += 1
            assert count <= 2
        return count


TALK = {
    "good Handle request": WHOLE,
    "bad Handle request": HANDLE_REFUSALS["op code 999"][0],
    "good DNS query": good_dns(),
    "bad DNS query": DNS_REFUSALS["octets behind the end"][0],
    "text": HANDLE_DROPS["text"][0],
}


@pytest.mark.parametrize("talk", TALK)
@pytest.mark.parametrize("ports", list(itertools.product(["handle", "dns"], repeat=2)))
def test_two_ports_do_not_talk_to_each_other(ports, talk, minimal):
    def side(name: str, port: str) -> Udp:
        node = minimal.node(name)
        if port == "handle":
            return Udp(node.handle, good=resolve_request(KNOWN, ("URL",)))
        return Udp(node.dns, good=good_dns(), id_at=slice(0, 2))

    with side("baijiu", ports[0]) as first, side("chongqing", ports[1]) as second:
        assert Mirror(first, second).packets(TALK[talk]) <= 2
