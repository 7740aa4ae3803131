"""The peers answer, where they are installed."""

from __future__ import annotations

import http.client
import os
import socket

import pytest

from load_tests.bench import peers
from load_tests.bench.asker import Asker, Presser
from load_tests.bench.dns_peers import NAME_SERVERS
from load_tests.bench.loads import echoed, over_dns
from load_tests.measure import run_udp
from registry.schemes.dns_name import to_name
from registry.schemes.handle import parse
from registry.values.value import Value, encode_record

KNOWN = [
    (
        parse(f"88.901/{suffix}"),
        encode_record(
            [Value(1, b"URL", b'https://x.test/"\\;$'), Value(2, b"EMAIL", b"\xe7\x99\xbd")]
        ),
    )
    for suffix in ("A-1", "白酒 2")
]


@pytest.fixture
def core():
    return min(os.sched_getaffinity(0))


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def asked(port, load):
    return run_udp(("127.0.0.1", port), load.templates, load.wire, seconds=0.05, outstanding=4)


def test_the_echo_sends_back_what_it_gets(tmp_path, port, core):
    with peers.echo(tmp_path, port, core) as server:
        if server is None:
            pytest.skip("no C compiler")
        summary = asked(port, echoed(over_dns(KNOWN)))
    assert summary.tally.right == summary.tally.sent > 0


@pytest.mark.parametrize("name", NAME_SERVERS)
def test_name_servers_have_the_same_records(name, tmp_path, port, core):
    names = [(to_name(key), record) for key, record in KNOWN]
    with NAME_SERVERS[name](tmp_path, port, core, "id.test", names) as server:
        if server is None:
            pytest.skip(f"no {name}")
        summary = asked(port, over_dns(KNOWN))
    assert summary.tally.right > 0
    assert not summary.wrong


def test_nginx_has_its_fixed_reply(tmp_path, port, core):
    body = b'{"it\'s":"$uri {}"}'
    with peers.nginx(tmp_path, port, core, body) as server:
        if server is None:
            pytest.skip("no nginx")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/api/handles/88.901/A-1")
        said = connection.getresponse().read()
        connection.close()
    assert said == b'{"it\\u0027s":"\\u0024uri {}"}'


def test_the_echo_answers_as_long_as_it_is_told(tmp_path, port, core):
    with peers.echo(tmp_path, port, core, 300) as server:
        if server is None:
            pytest.skip("no C compiler")
        summary = asked(port, echoed(over_dns(KNOWN), 300))
    assert summary.tally.right == summary.tally.sent > 0


def test_the_asker_gets_an_answer_to_each_request(tmp_path, port, core):
    with peers.echo(tmp_path, port, core) as server:
        if server is None:
            pytest.skip("no C compiler")
        load = echoed(over_dns(KNOWN))
        asked = Asker(tmp_path, load.templates, load.wire).ask(port, 0.1, lanes=2, window=3)
    assert asked.answers > 0
    assert (asked.lost, asked.strange) == (0, 0)


def test_the_asker_counts_what_is_lost(tmp_path):
    load = echoed(over_dns(KNOWN))
    if peers.installed("cc") is None:
        pytest.skip("no C compiler")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        asker = Asker(tmp_path, load.templates, load.wire)
        asked = asker.ask(silent.getsockname()[1], 0.5, lanes=1, window=3)
    assert asked.answers == 0
    assert asked.lost >= 3


def test_the_presser_asks_at_a_rate_whoever_answers(tmp_path, port, core):
    with peers.echo(tmp_path, port, core) as server:
        if server is None:
            pytest.skip("no C compiler")
        load = echoed(over_dns(KNOWN))
        presser = Presser(tmp_path, load.templates, load.wire)
        seconds, strange = presser.press(port, [(400.0, 1), (100.0, 1)], deadline=1.0)
    assert [one.sent for one in seconds] == [
        pytest.approx(400, rel=0.5),
        pytest.approx(100, rel=0.5),
    ]
    assert all(one.sent == one.answers == one.in_time > 0 for one in seconds)
    assert all(0 < one.p99 < 1.0 for one in seconds)
    assert strange == 0


def test_the_presser_goes_on_where_nobody_answers(tmp_path):
    load = echoed(over_dns(KNOWN))
    if peers.installed("cc") is None:
        pytest.skip("no C compiler")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        presser = Presser(tmp_path, load.templates, load.wire)
        (second,), _ = presser.press(silent.getsockname()[1], [(400.0, 1)], deadline=1.0)
    assert second.sent == pytest.approx(400, rel=0.5)
    assert (second.answers, second.in_time) == (0, 0)
