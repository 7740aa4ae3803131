from __future__ import annotations

import socket

import pytest
from rich.cells import cell_len

from registry.values.json_form import value_to_json
from registry.values.value import decode_record
from tests.resolver.cli.conftest import BOTTLE

PORTS = {"hdl": "handle", "hdl+udp": "handle", "hdl+tcp": "handle", "http": "http", "dns": "dns"}


def url(node, scheme):
    return f"{scheme}://127.0.0.1:{getattr(node, f'{PORTS[scheme]}_port')}"


def values_of(node, *indexes):
    (record,) = node.records.values()
    forms = [value_to_json(value) for value in decode_record(record)]
    return [form for form in forms if form["index"] in indexes]


@pytest.mark.parametrize("scheme", PORTS)
def test_each_protocol_gives_the_same_values(scheme, node, idnode):
    found = idnode("resolve", BOTTLE, "--via", url(node, scheme), "--json")
    assert found.status == 0
    assert found.json == {
        "responseCode": 1,
        "handle": BOTTLE,
        "values": values_of(node, 1, 2, 3, 100),
    }


@pytest.mark.parametrize("scheme", PORTS)
def test_each_protocol_selects_a_union(scheme, node, idnode):
    selection = ("--type", "url", "--index", "2")
    found = idnode("resolve", BOTTLE, "--via", url(node, scheme), *selection, "--json")
    assert found.json["values"] == values_of(node, 1, 2)
    missing = idnode("resolve", BOTTLE, "--via", url(node, scheme), "--type", "NONE", "--json")
    assert missing.status == 1
    assert (missing.json["responseCode"], missing.json["values"]) == (200, [])


@pytest.mark.parametrize("scheme", PORTS)
def test_each_protocol_says_that_it_does_not_exist(scheme, data, node, idnode):
    found = idnode("resolve", "88.901.7/none", "--via", url(node, scheme), "--json")
    assert found.status == 1
    assert found.json["responseCode"] == 100
    assert "88.901.7/none: " in found.err
    assert "response code 100" in found.err
    assert found.err.count("sector node baijiu") == 1


@pytest.mark.parametrize("scheme", PORTS)
def test_nobody_answers(scheme, idnode):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        via = f"{scheme}://127.0.0.1:{taken.getsockname()[1]}"
        found = idnode("resolve", BOTTLE, "--via", via, "--timeout", "0.2")
    assert found.status == 3
    assert via.rpartition("/")[2] in found.err


def test_the_protocol_named_is_the_one_used(node, idnode):
    idnode("resolve", BOTTLE, "--via", url(node, "hdl+tcp"))
    assert node.protocols == ["tcp"]
    idnode("resolve", BOTTLE, "--via", url(node, "hdl+udp"))
    assert node.protocols == ["tcp", "udp"]


def test_the_recursive_node_is_asked_over_handle(data, node, idnode):
    found = idnode("resolve", BOTTLE)
    assert found.status == 0
    assert node.protocols == ["udp"]
    assert node.requests == []


@pytest.mark.parametrize(
    ("identifier", "message"),
    [("", "prefix"), ("/x", "prefix is empty"), ("88.1/a\n", "control"), ("8/" + "x" * 300, "255")],
)
def test_what_is_no_identifier(identifier, message, data, idnode):
    found = idnode("resolve", identifier)
    if identifier:
        assert found.status == 1
        assert message in found.err


@pytest.mark.parametrize("via", ["gopher://x", "127.0.0.1:2641", "http://", "http://h:x", "hdl://"])
def test_a_url_that_will_not_do(via, idnode):
    found = idnode("resolve", BOTTLE, "--via", via)
    assert found.status == 2
    assert "--via" in found.err


def test_a_server_that_is_no_node(node, idnode):
    found = idnode("resolve", BOTTLE, "--via", f"{url(node, 'http')}/", "--trace", "--json")
    assert found.status == 0
    silent = idnode("resolve", BOTTLE, "--via", f"http://127.0.0.1:{node.handle_port}")
    assert silent.status == 3


def test_the_table_shows_text_as_it_is(data, idnode):
    found = idnode("resolve", BOTTLE)
    assert "https://example.org/bottle" in found.out
    assert "五粮浓香 500 ml" in found.out
    assert "300:88.901.7/ADMIN may 111111111111" in found.out
    assert all(cell_len(line) <= 80 for line in found.out.splitlines())
    assert "\x1b" not in found.out


def test_control_characters_in_values_do_not_reach_the_terminal(data, node, idnode):
    evil = {"index": 1, "type": "[red]X", "data": "\x9b31m \u202e [bold]"}
    node.records = type(node)({"88.901.7/evil": [evil]}).records
    found = idnode("resolve", "88.901.7/evil")
    assert "[red]X" in found.out
    assert r"\x9b31m \u202e [bold]" in found.out


def test_trace_shows_the_hops(data, node, idnode):
    found = idnode("resolve", BOTTLE, "--trace", "--fresh")
    assert found.status == 0
    method, target = node.requests[0]
    assert (method, target.partition("?")[2]) == ("GET", "trace=1&fresh=1")
    lines = found.out.splitlines()
    assert all(cell_len(line) <= 80 for line in lines)
    head = next(line for line in lines if line.lstrip().startswith("hop"))
    assert head.split() == ["hop", "role", "endpoint", "protocol", "question", "response", "ms"]
    for text in ("root", "sector", "127.0.0.1:2651", "handle-udp", "302", "0.4", "cache"):
        assert text in found.out


def test_trace_as_json(data, node, idnode):
    found = idnode("resolve", BOTTLE, "--trace", "--json", "--type", "URL")
    assert [hop["role"] for hop in found.json["trace"]] == ["root", "sector"]
    assert found.json["values"] == values_of(node, 1)
    assert list(found.json) == ["responseCode", "handle", "values", "trace"]


def test_a_trace_of_what_does_not_exist(data, idnode):
    found = idnode("resolve", "88.901.7/none", "--trace")
    assert found.status == 1
    assert "root" in found.out
    assert "sector node baijiu" in found.err


def test_a_trace_needs_http(node, idnode):
    found = idnode("resolve", BOTTLE, "--trace", "--via", url(node, "hdl"))
    assert found.status == 2


def test_fresh_cannot_be_said_over_dns(node, idnode):
    assert idnode("resolve", BOTTLE, "--fresh", "--via", url(node, "hdl")).status == 0
    idnode("resolve", BOTTLE, "--fresh", "--via", url(node, "http"))
    assert "auth=true" in node.requests[0][1]
    found = idnode("resolve", BOTTLE, "--fresh", "--via", url(node, "dns"))
    assert found.status == 2
    assert "--fresh" in found.err
