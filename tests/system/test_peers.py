"""Independent clients of running nodes: kdig and dig, dnspython's resolver, pyhandle."""

from __future__ import annotations

import re
import shlex
import shutil
import socket
import subprocess
from typing import NamedTuple

import dns.message
import dns.query
import dns.resolver
import pytest
from pyhandle.client.resthandleclient import RESTHandleClient

from registry.values.json_form import value_to_json
from resolver.codecs.dns_txt import read_txt
from tests.support.everywhere import values_of
from tests.support.processes import Node, Topology

KNOWN = "88.901/BOT-000001"
NAME = "bot-000001.h.901.88.id.test."
ZONE = "901.88.id.test."
TOOLS = [
    pytest.param(
        tool,
        marks=pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed"),
    )
    for tool in ("kdig", "dig")
]


class Printed(NamedTuple):
    """What a DNS client printed: the status, the flags, and records by their section."""

    status: str
    flags: set[str]
    sections: dict[str, list[list[str]]]

    @property
    def answer(self) -> list[list[str]]:
        return self.sections.get("ANSWER", [])

    @property
    def authority(self) -> list[list[str]]:
        return self.sections.get("AUTHORITY", [])


@pytest.fixture(params=TOOLS)
def dig(request: pytest.FixtureRequest):
    """Asks a node with one of the tools, which take the same arguments."""

    def ask(node: Node, name: str, rdtype: str, *options: str) -> Printed:
        host, port = node.dns
        command = [request.param, f"@{host}", "-p", str(port), name, rdtype, "+time=5", *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        return _read(done.stdout)

    return ask


def _read(text: str) -> Printed:
    status = re.search(r"status: (\w+)", text)
    flags = re.search(r";; [Ff]lags: ([a-z ]+);", text)
    assert status, text
    assert flags, text
    sections: dict[str, list[list[str]]] = {}
    records: list[list[str]] = []
    for line in text.splitlines():
        if title := re.match(r";; (ANSWER|AUTHORITY|ADDITIONAL) SECTION", line):
            records = sections.setdefault(title[1], [])
        elif line and not line.startswith(";"):
            records.append(shlex.split(line))
    return Printed(status[1], set(flags[1].split()), sections)


def _octets(printed: str) -> bytes:
    r"""A character-string from its printed form, where \DDD is an octet (RFC 1035 section 5.1)."""
    return re.sub(rb"\\(\d{3})", lambda found: bytes([int(found[1])]), printed.encode())


@pytest.fixture
def sector(minimal: Topology) -> Node:
    return minimal.node("baijiu")


@pytest.fixture
def recursive(minimal: Topology) -> Node:
    return minimal.node("recursive")


@pytest.mark.parametrize("options", [(), ("+tcp",)])
def test_values_of_an_identifier(dig, options, sector, recursive):
    values = values_of(sector, KNOWN)
    url = values[0]["data"]["value"]
    for node, flag in ((sector, "aa"), (recursive, "ra")):
        found = dig(node, NAME, "TXT", *options)
        assert (found.status, flag in found.flags, "tc" in found.flags) == ("NOERROR", True, False)
        assert {record[0].lower() for record in found.answer} == {NAME}
        read = [value_to_json(read_txt([*map(_octets, record[4:])])) for record in found.answer]
        assert sorted(read, key=lambda value: int(value["index"])) == values
        [uri] = dig(node, NAME, "URI", *options).answer
        assert uri[3:] == ["URI", "10", "1", url]
        [naptr] = dig(node, NAME, "NAPTR", *options).answer
        assert naptr[3:7] == ["NAPTR", "100", "1", "u"]
        assert naptr[7:] == ["ID2U+web", f"!^.*$!{url}!", "."]


@pytest.mark.parametrize("options", [(), ("+tcp",)])
def test_the_records_of_a_zone(dig, options, sector):
    soa = dig(sector, ZONE, "SOA", *options)
    assert (soa.status, "aa" in soa.flags, len(soa.answer)) == ("NOERROR", True, 1)
    ns = dig(sector, ZONE, "NS", *options)
    [server] = [record[4] for record in ns.answer]
    [address] = dig(sector, server, "A", *options).answer
    assert address[3:] == ["A", sector.dns[0]]


@pytest.mark.parametrize("options", [(), ("+tcp",)])
def test_the_kinds_of_nothing(dig, options, sector, recursive):
    for node in (sector, recursive):
        missing = dig(node, f"nope.h.{ZONE}", "TXT", *options)
        assert (missing.status, missing.answer) == ("NXDOMAIN", [])
        assert [record[3] for record in missing.authority] == ["SOA"]
        no_data = dig(node, NAME, "AAAA", *options)
        assert (no_data.status, no_data.answer) == ("NOERROR", [])
        assert [record[3] for record in no_data.authority] == ["SOA"]
    elsewhere = dig(sector, "tea.h.902.88.id.test", "TXT", "+norec", *options)
    assert (elsewhere.status, elsewhere.answer) == ("REFUSED", [])


def test_a_referral_names_the_servers_below(dig, minimal):
    way = [("root", "88.id.test."), ("chongqing", "901.88.id.test.")]
    for name, cut in way:
        found = dig(minimal.node(name), NAME, "TXT", "+norec")
        assert (found.status, "aa" in found.flags, found.answer) == ("NOERROR", False, [])
        [ns] = found.authority
        assert (ns[0], ns[3]) == (cut, "NS")
        assert [record[3] for record in found.sections["ADDITIONAL"]].count("A") == 1


def test_what_does_not_fit_is_asked_for_over_tcp(dig, recursive):
    cut = dig(recursive, "88.p.id.test", "TXT", "+ignore", "+bufsize=512")
    assert (cut.status, "tc" in cut.flags, cut.answer) == ("NOERROR", True, [])
    whole = dig(recursive, "88.p.id.test", "TXT", "+bufsize=512")
    assert "tc" not in whole.flags
    assert len(whole.answer) >= 3


def test_case_of_a_question_is_kept(dig, sector):
    found = dig(sector, "BoT-000001.H.901.88.iD.tEsT", "URI")
    assert [record[0].lower() for record in found.answer] == [NAME]


def test_any_is_answered_with_little(dig, sector):
    [record] = dig(sector, NAME, "ANY", "+notcp").answer
    assert record[3] == "HINFO"


def test_the_resolver_of_dnspython(recursive, sector):
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [recursive.dns[0]], recursive.dns[1]
    values = values_of(sector, KNOWN)
    for tcp in (False, True):
        answer = resolver.resolve(NAME, "TXT", tcp=tcp)
        assert sorted(read_txt(record.strings).index for record in answer) == [
            value["index"] for value in values
        ]
        with pytest.raises(dns.resolver.NXDOMAIN):
            resolver.resolve(f"nope.h.{ZONE}", "TXT", tcp=tcp)
        with pytest.raises(dns.resolver.NoAnswer):
            resolver.resolve(NAME, "A", tcp=tcp)


def test_many_queries_on_one_connection(sector):
    query = dns.message.make_query(NAME, "URI")
    host, port = sector.dns
    with socket.create_connection(sector.dns, 5) as connection:
        connection.setblocking(False)
        for _ in range(100):
            reply = dns.query.tcp(query, host, port=port, sock=connection, timeout=5)
            assert len(reply.answer[0]) == 1


def test_pyhandle_reads_through_the_recursive_node(recursive, sector):
    reader = RESTHandleClient.instantiate_for_read_access(recursive.http)
    [url, *_] = values_of(sector, KNOWN)
    record = reader.retrieve_handle_record(KNOWN)
    assert record["URL"] == url["data"]["value"]
    assert reader.get_value_from_handle(KNOWN, "HS_ADMIN")
    assert reader.retrieve_handle_record_json("88.901/NOPE") is None
