"""The default topology: 20 sectors, each found from the root over every protocol."""

from __future__ import annotations

import json
import stat
from functools import lru_cache

import pytest

from registry import outcomes
from registry.schemes.handle import parse
from resolver.cli.main import run
from resolver.topology import load
from tests.support.everywhere import ask, codes, values_of, vias
from tests.support.processes import Node, Topology, idnode
from tests.support.wire import fetch, metrics

TOPOLOGY = load("sichuan")
SECTORS = [node.name for node in TOPOLOGY.nodes if node.role == "sector"]
ENTERPRISES = [node.name for node in TOPOLOGY.nodes if node.role == "enterprise"]
PORTS = {"handle": 1, "http": 2, "dns": 3, "https": 4, "metrics": 5}
FORMS = {
    "handle": "127.0.0.1:{}",
    "http": "http://127.0.0.1:{}",
    "dns": "127.0.0.1:{}",
    "https": "https://127.0.0.1:{}",
    "metrics": "http://127.0.0.1:{}/metrics",
}


@pytest.fixture
def recursive(sichuan: Topology) -> Node:
    return sichuan.node("recursive")


@lru_cache
def sampled(sichuan: Topology, name: str, count: int = 1) -> list[str]:
    """Identifiers of a sector or enterprise node, as `idnode sample` lists them."""
    prefix = TOPOLOGY.node(name).prefix
    done = sichuan.idnode("sample", "--count", count, "--sector", prefix)
    assert (done.status, done.err) == (0, "")
    return done.out.split()


def test_there_are_twenty_sectors():
    assert len(SECTORS) == 20


@pytest.mark.parametrize("name", SECTORS)
def test_a_sector_resolves_over_every_protocol(name, sichuan, recursive, capsys):
    [identifier] = sampled(sichuan, name)
    values = values_of(recursive, identifier)
    assert {"URL", "HS_ADMIN"} <= {value["type"] for value in values}
    assert any(value["index"] >= 2000 for value in values)
    for via in vias(recursive).values():
        assert run(["resolve", identifier, "--json", "--via", via]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["responseCode"], found["handle"]) == (1, identifier)
        assert sorted(found["values"], key=lambda value: int(value["index"])) == values


@pytest.mark.parametrize("name", [*SECTORS, *ENTERPRISES])
def test_a_fresh_question_walks_from_the_root(name, sichuan, recursive):
    [identifier] = sampled(sichuan, name)
    found = fetch(recursive.http, f"/v1/resolve/{identifier}?trace=1&fresh=1").json
    assert found["responseCode"] == 1
    way = ["root", "national", "sector", *["enterprise"] * (name in ENTERPRISES)]
    assert [step["role"] for step in found["trace"]] == way
    assert [step["node"] for step in found["trace"]][-1] == name
    for step in found["trace"]:
        assert step["endpoint"] == sichuan.nodes[step["node"]]["handle"]
        assert step["question"] == identifier
        assert step["ms"] > 0
        assert not step["cached"]


def test_the_command_shows_the_way_and_the_cache(sichuan):
    [identifier] = sampled(sichuan, ENTERPRISES[0])
    fresh = sichuan.idnode("resolve", identifier, "--trace", "--fresh", "--json")
    assert fresh.status == 0
    roles = [step["role"] for step in fresh.json["trace"]]
    assert roles == ["root", "national", "sector", "enterprise"]
    kept = sichuan.idnode("resolve", identifier, "--trace", "--json").json
    assert [(step["role"], step["cached"]) for step in kept["trace"]] == [("recursive", True)]
    assert kept["values"] == fresh.json["values"]
    table = sichuan.idnode("resolve", identifier, "--trace", "--fresh").out
    assert [word in table for word in ("root", "national", "sector", "enterprise")] == [True] * 4


@pytest.mark.parametrize("form", ["plain", "dnsperf", "urls"])
def test_samples_are_spread_over_all_nodes(form, sichuan, recursive):
    count = 2 * len(SECTORS + ENTERPRISES)
    done = sichuan.idnode("sample", "--count", count, "--format", form)
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert len(set(lines)) == count
    if form == "plain":
        homes = {TOPOLOGY.home_of(parse(line).prefix).name for line in lines}
        assert homes == {*SECTORS, *ENTERPRISES}
    elif form == "dnsperf":
        assert all(line.endswith(".id.test TXT") for line in lines)
    else:
        base, path = lines[0][: len(recursive.http)], lines[0][len(recursive.http) :]
        assert (base, fetch(base, path).json["responseCode"]) == (recursive.http, 1)


@pytest.mark.parametrize("name", [SECTORS[4], SECTORS[9]])
def test_a_sector_sample_is_homed_there(name, sichuan):
    spec = TOPOLOGY.node(name)
    held = sichuan.nodes[name]["identifiers"]
    found = sampled(sichuan, name, held)
    assert {parse(identifier).prefix for identifier in found} == set(spec.homed)
    more = sichuan.idnode("sample", "--count", held + 1, "--sector", spec.prefix)
    assert more.status == 1
    assert sorted(more.out.split()) == sorted(found)
    assert f"{held + 1} asked for, {held} found" in more.err


def test_the_ready_file_has_the_shape_of_the_contract(sichuan):
    assert sichuan.ready.keys() == {"console", "nodes"}
    assert sichuan.ready["console"] is None
    for index, (spec, entry) in enumerate(zip(TOPOLOGY.nodes, sichuan.ready["nodes"], strict=True)):
        places = {
            name: form.format(sichuan.base + 10 * index + PORTS[name])
            for name, form in FORMS.items()
        }
        count = entry.pop("identifiers")
        assert entry == {"name": spec.name, "role": spec.role, "prefix": spec.prefix, **places}
        entry["identifiers"] = count
        assert count == (sichuan.seed if spec.role in ("sector", "enterprise") else 0)


def test_the_nodes_of_the_running_topology(sichuan):
    assert sichuan.idnode("nodes", "--json").json == sichuan.ready
    table = sichuan.idnode("nodes").out
    assert [name for name in sichuan.nodes if name not in table] == []


@pytest.mark.parametrize("name", ["recursive", "root", SECTORS[3], ENTERPRISES[1]])
def test_health_and_metrics_of_a_node(name, sichuan):
    node = sichuan.node(name)
    for base in (node.http, node.https, node.metrics_url.removesuffix("/metrics")):
        assert fetch(base, "/healthz").body == b"ok\n"
        assert fetch(base, "/readyz").body == b"ready\n"
    held = sichuan.nodes[name]["identifiers"]
    assert metrics(node.metrics_url).get("idnode_store_identifiers", 0) == held


def test_credentials_open_each_sector_and_a_hosted_enterprise(sichuan):
    path = sichuan.data / "credentials.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = json.loads(path.read_bytes())
    assert found.keys() == {"accounts", "handle_admins"}
    members = {"node", "prefix", "role", "username", "password", "token"}
    assert all(account.keys() == members for account in found["accounts"])
    # Enterprises that enrolled have no prefix to begin with, and log in for a token.
    accounts = [account for account in found["accounts"] if account["prefix"]]
    assert all(all(account.values()) for account in accounts)
    assert all(
        admin.keys() == {"prefix", "handle", "index", "secret"} and all(admin.values())
        for admin in found["handle_admins"]
    )
    owners = {account["prefix"]: account["node"] for account in accounts}
    admins = {admin["prefix"]: admin for admin in found["handle_admins"]}
    for spec in map(TOPOLOGY.node, SECTORS):
        for prefix in (spec.prefix, spec.hosted[0].prefix):
            assert owners[prefix] == spec.name
            assert admins[prefix]["handle"] == f"{prefix}/ADMIN"
            assert admins[prefix]["index"] == 300
    assert len({account["token"] for account in accounts}) == len(accounts)


def test_an_administrators_secret_is_not_public(sichuan, recursive):
    values = values_of(recursive, "88.901/ADMIN")
    assert [value["type"] for value in values] == ["HS_ADMIN"]


@pytest.mark.parametrize("identifier", ["0.NA/0.NA", "0.NA/88", "0.NA/88.901", "0.NA/88.901.7"])
def test_prefix_records_are_found_at_the_parents(identifier, recursive):
    types = {value["type"] for value in values_of(recursive, identifier)}
    assert "HS_SITE" in types


@pytest.mark.parametrize(
    "identifier", ["88.901/NOPE", "88.901.7/NOPE", "88.999/X", "88.901.999/X", "99/X", "0.NA/99"]
)
def test_what_does_not_exist_is_denied_over_every_protocol(identifier, recursive):
    answers = ask(recursive, identifier)
    found = {name: answer.code for name, answer in answers.items()}
    assert found == codes(outcomes.NOT_FOUND)


def test_a_denial_names_the_responsible_node(sichuan):
    done = sichuan.idnode("resolve", "88.901.7/NOPE")
    assert (done.status, done.out) == (1, "")
    assert "responsible: sector node baijiu" in done.err
    assert sichuan.nodes["baijiu"]["http"] in done.err
    root = fetch(sichuan.node("root").http, "/api/handles/88.901.7/NOPE")
    assert (root.status, root.json["responseCode"]) == (300, 302)
    assert "sector node baijiu" in root.json["message"]
    elsewhere = fetch(sichuan.node("tea").http, "/api/handles/88.901.7/NOPE")
    assert (elsewhere.status, elsewhere.json["responseCode"]) == (400, 301)
    assert "sector node baijiu" in elsewhere.json["message"]


def test_every_via_of_the_command(sichuan, recursive):
    [identifier] = sampled(sichuan, "tea")
    found = {
        name: idnode("resolve", identifier, "--type", "URL", "--json", "--via", via)
        for name, via in vias(recursive).items()
    }
    assert {name: (done.status, done.err) for name, done in found.items()} == dict.fromkeys(
        found, (0, "")
    )
    assert {done.out for done in found.values()} == {found["hdl"].out}
    assert [value["type"] for value in found["hdl"].json["values"]] == ["URL"]
