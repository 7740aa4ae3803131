"""Signed records end to end: made at registration, verified over resolution from the root down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import serialization

from registry.schemes.handle import parse
from registry.trust.signing import Signer
from registry.values.key import public_key_to_json
from registry.values.key_objects import dump_public_key, public_numbers
from registry.values.value import Value, encode_record
from resolver.codecs.handle.bodies.resolution import ResolveRequest, encode_resolve_request
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.header import CT, PO, TRUSTED_QUERY, TRUSTED_RESULT
from resolver.data_directory import DataDirectory
from resolver.key_hierarchy import node_signer
from resolver.server_keys import server_key
from resolver.topology import load
from tests.support.administered import Client
from tests.support.processes import Outcome, Topology, up
from tests.support.wire import fetch

NODES = 5
SIGNED = "88.901.100/SIGNED"
VALUES = [Value(1, b"URL", b"https://example.org/1"), Value(2, b"DESC", b"a bottle")]


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """The minimal topology with a distillery that signs; SIGNED is registered there."""
    directory = tmp_path_factory.mktemp("trust")
    shipped = Path(__file__).parents[2] / "configs" / "minimal.toml"
    topology = directory / "signing.toml"
    topology.write_text(shipped.read_text("utf-8").replace("# settings =", "settings ="), "utf-8")
    with up(topology, directory / "data", nodes=NODES) as running:
        register(running, SIGNED, VALUES)
        yield running
        assert running.process.stop().err == "draining\n"


def register(topology: Topology, identifier: str, values: list[Value]) -> None:
    sets = [f"--set={value.index}:{value.type.decode()}={value.data.decode()}" for value in values]
    done = topology.idnode("register", identifier, "--overwrite", *sets)
    assert done.status == 0, done.err


def verify(topology: Topology, identifier: str, *options: object) -> Outcome:
    return topology.idnode("resolve", identifier, "--verify", *options)


def verification(topology: Topology, identifier: str) -> dict[str, Any]:
    """The report, which the recursive node and the command line must agree on."""
    printed = verify(topology, identifier, "--json")
    report: dict[str, Any] = printed.json["verification"]
    assert printed.status == (0 if report["trusted"] else 1)
    path = f"/v1/resolve/{quote(identifier, safe='')}?verify=1&fresh=1"
    assert fetch(topology.node("recursive").http, path).json["verification"] == report
    return report


def signer(topology: Topology, name: str) -> Signer:
    """The key of a node."""
    return node_signer(load("minimal").node(name), DataDirectory(topology.data))


def forged(topology: Topology, identifier: str, by: str, signed: list[Value] = VALUES) -> Value:
    """A signature over values, by the key of a node."""
    text = signer(topology, by).sign(parse(identifier), encode_record(signed), int(time()))
    return Value(400, b"HS_SIGNATURE", text)


def test_what_a_signing_node_takes_is_verified_up_to_the_root(signing):
    report = verification(signing, SIGNED)
    assert (report["trusted"], report["verified"]) == (True, [1, 2])
    [signature] = report["signatures"]
    assert signature["chain"] == [
        "300:0.NA/88.901.100",
        "300:0.NA/88.901",
        "300:0.NA/88",
        "300:0.0/0.0",
    ]


def test_the_table_shows_a_verdict_by_each_value(signing):
    lines = verify(signing, SIGNED).out.splitlines()
    rows = {line.split()[0]: line.split()[1:4] for line in lines if line.lstrip()[:1].isdigit()}
    assert rows["1"] == ["URL", "86400", "verified"]
    assert rows["400"] == ["HS_SIGNATURE", "86400", "-"]


def test_a_changed_record_is_signed_anew(signing):
    register(signing, "88.901.100/CHANGED", VALUES)
    register(signing, "88.901.100/CHANGED", [Value(7, b"DESC", b"another")])
    assert verification(signing, "88.901.100/CHANGED")["verified"] == [7]


def test_elsewhere_nothing_is_signed_without_asking(signing):
    register(signing, "88.901.7/PLAIN", VALUES)
    report = verification(signing, "88.901.7/PLAIN")
    assert (report["unsigned"], report["signatures"]) == ([1, 2], [])


@pytest.mark.parametrize("identifier", ["88.901/OWN", "88.901.7/HOSTED"])
def test_a_sector_signs_for_itself_and_those_it_hosts(identifier, signing):
    register(signing, identifier, [*VALUES, forged(signing, identifier, "baijiu")])
    assert verification(signing, identifier)["trusted"]


def test_changed_missing_and_added_values_are_told_apart(signing):
    identifier = "88.901.7/TAMPERED"
    signature = forged(signing, identifier, "baijiu", [*VALUES, Value(3, b"DESC", b"third")])
    changed = Value(1, b"URL", b"https://elsewhere.example")
    added = Value(9, b"DESC", b"added")
    register(signing, identifier, [changed, VALUES[1], added, signature])
    report = verification(signing, identifier)
    names = ("verified", "bad", "missing", "unsigned")
    assert [report[name] for name in names] == [[2], [1], [3], [9]]
    said = verify(signing, identifier)
    assert said.status == 1
    assert "bad: 1" in said.err
    assert any(line.split()[:4] == ["3", "-", "-", "missing"] for line in said.out.splitlines())


@pytest.mark.parametrize(
    ("identifier", "signed", "by", "problem"),
    [
        ("88.901.7/COPY", "88.901.7/OTHER", "baijiu", "wrong-subject"),
        ("88.901.7/FORGED", "88.901.7/FORGED", "distillery", "not-permitted"),
    ],
)
def test_signatures_that_are_not_believed(identifier, signed, by, problem, signing):
    register(signing, identifier, [*VALUES, forged(signing, signed, by)])
    report = verification(signing, identifier)
    assert (report["bad"], report["signatures"][0]["problem"]) == ([1, 2], problem)


def test_a_prefix_record_that_nobody_signed(signing):
    assert verification(signing, "0.NA/88.901.100")["unsigned"] == [1, 2, 100, 300, 400]


def test_an_identifier_that_is_not_there(signing):
    found = verify(signing, "88.901.100/NONE", "--json")
    assert (found.status, found.json["responseCode"]) == (1, 100)
    assert "verification" not in found.json


@pytest.mark.parametrize("form", ["pem", "jwk", "handle"])
def test_a_trust_root_may_be_given_in_each_form(form, signing, tmp_path):
    key = server_key(signing.data / "root").public_key()
    encodings = {
        "pem": key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        "jwk": json.dumps(public_key_to_json(public_numbers(key))).encode(),
        "handle": dump_public_key(key),
    }
    file = tmp_path / "root.key"
    file.write_bytes(encodings[form])
    host, port = signing.node("recursive").handle
    for scheme in ("hdl", "hdl+udp", "hdl+tcp"):
        via = f"{scheme}://{host}:{port}"
        assert verify(signing, SIGNED, "--trust-root", file, "--via", via).status == 0
    assert verify(signing, SIGNED, "--trust-root", f"88.111.1/0.0={file}").status == 1


def test_a_trust_root_that_is_another_s(signing, tmp_path):
    file = tmp_path / "other.key"
    file.write_bytes(dump_public_key(server_key(signing.data / "baijiu").public_key()))
    said = verify(signing, SIGNED, "--trust-root", file)
    assert (said.status, "untrusted-root" in said.err) == (1, True)


def test_what_cannot_be_verified_is_a_matter_of_usage(signing, tmp_path):
    rubbish = tmp_path / "rubbish"
    rubbish.write_bytes(b"rubbish")
    http = signing.node("recursive").http
    for options in (
        ("--via", http),
        ("--trace",),
        ("--fresh",),
        ("--trust-root", rubbish),
        ("--trust-root", tmp_path / "none"),
    ):
        assert verify(signing, SIGNED, *options).status == 2


def test_only_the_recursive_node_verifies(signing):
    reply = fetch(signing.node("root").http, "/v1/resolve/0.0/0.0?verify=1")
    assert (reply.status, reply.json["code"]) == (501, "unsupported")


def test_identifiers_in_bulk_are_signed_too(signing: Topology, tmp_path: Path) -> None:
    many = ("--serial", "MANY-{:03d}", "--to", "300", "--set", "1:URL=https://example.org/{suffix}")
    report = ("--report", tmp_path / "report")
    done = signing.idnode("import", "--prefix", "88.901.100", *many, *report)
    assert done.status == 0, done.err
    assert verification(signing, "88.901.100/MANY-300")["verified"] == [1]
    assert verify(signing, "88.901.100/MANY-001").status == 0


async def test_trusted_queries_tell_whether_what_is_shown_is_signed(signing: Topology):
    trusted = TRUSTED_QUERY | TRUSTED_RESULT
    for node, unsigned in (("distillery", 0), ("recursive", TRUSTED_QUERY)):
        async with Client.to(signing.node(node).handle) as client:
            for identifier, op_flags, indexes, told in (
                (SIGNED, TRUSTED_QUERY, (), trusted),
                (SIGNED, 0, (), 0),
                (SIGNED, TRUSTED_QUERY | TRUSTED_RESULT | PO, (1,), trusted),
                (SIGNED, TRUSTED_QUERY | CT, (), trusted),
                (SIGNED, CT, (), 0),
                ("88.901.7/BOT-000001", TRUSTED_QUERY, (), unsigned),
                (f"{SIGNED}-NOT", TRUSTED_QUERY, (), 0),
            ):
                body = encode_resolve_request(ResolveRequest(identifier.encode(), indexes))
                for _ in range(2):
                    reply = await client.ask(OpCode.RESOLVE, body, op_flags=op_flags)
                    assert reply.op_flags & trusted == told
                    assert bool(reply.credential) == bool(op_flags & CT)
