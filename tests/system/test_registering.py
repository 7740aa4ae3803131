"""Registering: durable before it is acknowledged, visible at once, refused with a reason."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from registry import outcomes
from registry.outcomes import Outcome
from tests.support.everywhere import ask, codes, values_of
from tests.support.processes import Topology, idnode, up
from tests.support.wire import HttpReply, fetch

NODES = 5
URL = {"index": 1, "type": "URL", "data": "https://example.org/1"}


def contents(values: list[dict[str, Any]]) -> list[tuple[int, str, str]]:
    return [(value["index"], value["type"], value["data"]["value"]) for value in values]


def token(topology: Topology, prefix: str) -> str:
    accounts = json.loads((topology.data / "credentials.json").read_bytes())["accounts"]
    return next(account["token"] for account in accounts if account["prefix"] == prefix)


def put(topology: Topology, identifier: str, body: Any, bearer: str | None) -> HttpReply:
    headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    base = topology.node("baijiu").http
    return fetch(base, f"/v1/identifiers/{identifier}", "PUT", sent, **headers)


def test_what_is_registered_is_visible_at_once(stored):
    arguments = ("88.901.7/首瓶-1", "--set", "1:URL=https://example.org/1", "--set", "2:DESC=一号")
    done = stored.idnode("register", *arguments)
    assert (done.status, "durable" in done.out) == (0, True)
    wanted = [(1, "URL", "https://example.org/1"), (2, "DESC", "一号")]
    for name in ("baijiu", "recursive"):
        assert contents(values_of(stored.node(name), "88.901.7/首瓶-1")) == wanted


@pytest.mark.parametrize("prefix", ["88", "88.901", "88.901.7", "88.901.100"])
def test_each_homed_prefix_takes_identifiers(prefix, stored):
    identifier = f"{prefix}/EACH-1"
    assert stored.idnode("register", identifier, "--set", "7:NOTE=here").status == 0
    assert contents(values_of(stored.node("recursive"), identifier)) == [(7, "NOTE", "here")]


def test_an_identifier_is_replaced_only_on_request(stored):
    identifier = "88.901/TWICE"
    assert stored.idnode("register", identifier, "--set", "1:NOTE=old").status == 0
    values_of(stored.node("baijiu"), identifier)
    again = stored.idnode("register", identifier, "--set", "1:NOTE=new")
    assert (again.status, again.out) == (1, "")
    assert "already-exists" in again.err
    done = stored.idnode("register", identifier, "--set", "2:NOTE=new", "--overwrite", "--json")
    assert (done.status, done.json) == (0, {"identifier": identifier, "version": 2})
    for name in ("baijiu", "recursive"):
        assert contents(values_of(stored.node(name), identifier)) == [(2, "NOTE", "new")]


def test_a_fresh_question_sees_what_the_cache_does_not(stored):
    identifier, recursive = "88.901/KEPT", stored.node("recursive")
    assert stored.idnode("register", identifier, "--set", "1:NOTE=old").status == 0
    values_of(recursive, identifier)
    assert stored.idnode("register", identifier, "--set", "1:NOTE=new", "--overwrite").status == 0
    assert contents(values_of(recursive, identifier)) == [(1, "NOTE", "old")]
    fresh = stored.idnode("resolve", identifier, "--fresh", "--json")
    assert contents(fresh.json["values"]) == [(1, "NOTE", "new")]
    assert contents(values_of(recursive, identifier)) == [(1, "NOTE", "new")]


def test_a_deleted_identifier_is_gone_at_once(stored):
    identifier = "88.901.7/GONE"
    assert stored.idnode("register", identifier, "--set", "1:NOTE=here").status == 0
    values_of(stored.node("baijiu"), identifier)
    headers = {"Authorization": f"Bearer {token(stored, '88.901.7')}"}
    path = f"/v1/identifiers/{identifier}"
    assert fetch(stored.node("baijiu").http, path, "DELETE", **headers).status == 204
    found = {name: answer.code for name, answer in ask(stored.node("baijiu"), identifier).items()}
    assert found == codes(outcomes.NOT_FOUND)


#: What is refused: identifier, body, prefix of the token (None: no token), and how.
REFUSED: dict[str, tuple[str, Any, str | None, Outcome]] = {
    "no token": ("88.901.7/R", {"values": [URL]}, None, outcomes.AUTHENTICATION_NEEDED),
    "unknown token": ("88.901.7/R", {"values": [URL]}, "?", outcomes.AUTHENTICATION_NEEDED),
    "token of another node": (
        "88.901.7/R",
        {"values": [URL]},
        "88.901.100",
        outcomes.AUTHENTICATION_NEEDED,
    ),
    "token of a prefix below": (
        "88.901/R",
        {"values": [URL]},
        "88.901.7",
        outcomes.NOT_PERMITTED,
    ),
    "prefix that looks alike": (
        "88.901.77/R",
        {"values": [URL]},
        "88.901.7",
        outcomes.NOT_PERMITTED,
    ),
    "prefix homed elsewhere": (
        "88.901.100/R",
        {"values": [URL]},
        "88.901",
        outcomes.NOT_RESPONSIBLE,
    ),
    "no identifier": ("88.901.7/%FF", {"values": [URL]}, "88.901.7", outcomes.INVALID_IDENTIFIER),
    "control character": (
        "88.901.7/a%0Ab",
        {"values": [URL]},
        "88.901.7",
        outcomes.INVALID_IDENTIFIER,
    ),
    "too long": (
        f"88.901.7/{'x' * 250}",
        {"values": [URL]},
        "88.901.7",
        outcomes.INVALID_IDENTIFIER,
    ),
    "no JSON": ("88.901.7/R", b'{"values": [', "88.901.7", outcomes.MALFORMED),
    "deep JSON": (
        "88.901.7/R",
        b'{"values":[{"data":' + b"[" * 100_000,
        "88.901.7",
        outcomes.MALFORMED,
    ),
    "no text": ("88.901.7/R", b"\xff\xfe", "88.901.7", outcomes.MALFORMED),
    "no values": ("88.901.7/R", {"values": []}, "88.901.7", outcomes.INVALID_VALUE),
    "unknown member": (
        "88.901.7/R",
        {"values": [URL], "force": True},
        "88.901.7",
        outcomes.INVALID_VALUE,
    ),
    "one index twice": ("88.901.7/R", {"values": [URL, URL]}, "88.901.7", outcomes.INVALID_VALUE),
    "index 0": ("88.901.7/R", {"values": [URL | {"index": 0}]}, "88.901.7", outcomes.INVALID_VALUE),
    "bad data": (
        "88.901.7/R",
        {"values": [URL | {"data": {"format": "hex", "value": "0g"}}]},
        "88.901.7",
        outcomes.INVALID_VALUE,
    ),
    "too large": ("88.901.7/R", b" " * (1 << 20) + b"{}", "88.901.7", outcomes.TOO_LARGE),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_changes_nothing(case, stored):
    identifier, body, owner, outcome = REFUSED[case]
    bearer = owner if owner in (None, "?") else token(stored, owner)
    reply = put(stored, identifier, body, bearer)
    assert reply.headers["Content-Type"] == "application/problem+json"
    problem = reply.json
    assert (reply.status, problem["status"], problem["code"]) == (
        outcome.http,
        outcome.http,
        outcome.slug,
    )
    assert problem["type"] == f"/problems/{outcome.slug}"
    assert (reply.headers["WWW-Authenticate"] is not None) == (reply.status == 401)
    answers = ask(stored.node("baijiu"), "88.901.7/R")
    assert {name: answer.code for name, answer in answers.items()} == codes(outcomes.NOT_FOUND)


#: Arguments of `idnode register`, its exit status, and a word of what it says.
STATUSES: dict[str, tuple[tuple[str, ...], int, str]] = {
    "no identifier": (("88.901.7", "--set", "1:URL=x"), 1, "88.901.7"),
    "homed nowhere": (("99.1/X", "--set", "1:URL=x"), 1, "99.1"),
    "unknown token": (("88.901/X", "--set", "1:URL=x", "--token", "?"), 1, "authentication"),
    "no values": (("88.901/X",), 2, "--set"),
    "bad value": (("88.901/X", "--set", "URL=x"), 2, "INDEX:TYPE=DATA"),
    "bad hex": (("88.901/X", "--set", "1:BIN=hex:0g"), 2, "1:BIN"),
    "bad index": (("88.901/X", "--set", "0:URL=x"), 1, "index"),
    "missing file": (("88.901/X", "--set", "1:URL=@/nowhere"), 2, "/nowhere"),
    "unknown node": (("88.901/X", "--set", "1:URL=x", "--node", "nobody"), 2, "baijiu"),
    "nobody there": (("88.901/X", "--set", "1:URL=x", "--via", "http://127.0.0.1:1"), 3, "nobody"),
}


@pytest.mark.parametrize("case", STATUSES)
def test_exit_statuses_of_register(case, stored):
    arguments, status, said = STATUSES[case]
    done = stored.idnode("register", *arguments)
    assert (done.status, done.out) == (status, "")
    assert said in done.err
    assert "Traceback" not in done.err


def test_nothing_runs(tmp_path: Path):
    done = idnode("register", "88.901/X", "--set", "1:URL=x", "--data", tmp_path)
    assert (done.status, "idnode up" in done.err) == (3, True)


@pytest.mark.parametrize("processes", [1, 3])
def test_what_is_registered_survives_a_kill_of_everything(processes, used_data):
    options = ("--processes", processes)
    with up("minimal", used_data, *options, nodes=NODES) as first:
        for number in range(3):
            arguments = (f"88.901.7/KEPT-{number}", "--set", f"1:NOTE=number {number}")
            assert first.idnode("register", *arguments).status == 0
        credentials = (used_data / "credentials.json").read_bytes()
        first.process.kill()
    assert idnode("resolve", "88.901.7/KEPT-0", "--data", used_data).status == 3
    with up("minimal", used_data, *options, nodes=NODES, base=first.base) as again:
        for number in range(3):
            values = values_of(again.node("recursive"), f"88.901.7/KEPT-{number}")
            assert contents(values) == [(1, "NOTE", f"number {number}")]
        assert (used_data / "credentials.json").read_bytes() == credentials
        counts = {name: node["identifiers"] for name, node in again.nodes.items()}
        assert counts == {**dict.fromkeys(counts, 0), "baijiu": 13, "distillery": 10}
        assert again.process.stop(signal.SIGINT).status == 0
