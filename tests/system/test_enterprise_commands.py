"""`idnode enterprise`, `idnode prefix` and `idnode audit log`, each once, on a running topology."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.enterprises import form_members
from tests.support.processes import Topology, up

SECTOR = ("--sector", "88.901")


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with up("minimal", tmp_path_factory.mktemp("commands") / "data", nodes=5) as running:
        yield running


@pytest.fixture(scope="module")
def numbers(topology: Topology, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Two accepted enterprises, by the username of their first account."""
    directory, found = tmp_path_factory.mktemp("forms"), {}
    for number, username in enumerate(("cellar", "rival")):
        form = _written(directory / f"{username}.json", number)
        made = done(topology, "enterprise", "enrol", form, *SECTOR, "--username", username)
        found[username] = made["number"]
        code = form_members(number)["certificate_code"]
        assert done(topology, "enterprise", "accept", code, *SECTOR)["state"] == "accepted"
    return found


def _written(path: Path, number: int, **changes: Any) -> Path:
    path.write_text(json.dumps({**form_members(number), **changes}))
    return path


def done(topology: Topology, *arguments: object) -> Any:
    """What a command prints as JSON."""
    ended = topology.idnode(*arguments, "--json")
    assert ended.status == 0, ended.err
    return ended.json


def said(topology: Topology, *arguments: object) -> str:
    """What a command prints."""
    ended = topology.idnode(*arguments)
    assert ended.status == 0, ended.err
    return ended.out


def test_enterprises(topology, numbers, tmp_path):
    listed = said(topology, "enterprise", "list", *SECTOR, "--state", "accepted")
    assert all(number in listed for number in numbers.values())
    moved = _written(tmp_path / "moved.json", 0, website="https://moved.example/")
    own = ("--as", "cellar")
    changed = done(topology, "enterprise", "change", numbers["cellar"], moved, *SECTOR, *own)
    assert changed["enterprise"]["website"] == "https://moved.example/"
    shown = said(topology, "enterprise", "show", numbers["cellar"], *SECTOR, *own)
    assert "changed" in shown
    by_operator = _written(tmp_path / "third.json", 3)
    third = done(topology, "enterprise", "enrol", by_operator, *SECTOR)["number"]
    reason = ("--reason", "the licence cannot be read")
    rejected = done(topology, "enterprise", "reject", third, *SECTOR, *reason)
    assert rejected["state"] == "rejected"
    again = topology.idnode("enterprise", "reject", third, *SECTOR, *reason)
    assert (again.status, "state-conflict" in again.err) == (1, True)


def test_a_hosted_prefix(topology, numbers):
    prefix, own = "88.901.301", ("--as", "cellar")
    assert done(topology, "prefix", "apply", prefix, *own)["state"] == "applied"
    assert done(topology, "prefix", "accept", prefix)["state"] == "active"
    assert done(topology, "prefix", "poll", prefix, *own)["state"] == "active"
    assert done(topology, "prefix", "administrator", prefix, *own)["secret"]
    assert prefix in said(topology, "prefix", "list", *SECTOR, "--state", "active")
    for end, back in (("suspend", "resume"), ("revoke", "restore")):
        assert f"is {end[:5]}" in said(topology, "prefix", end, prefix, "--reason", "overdue")
        assert "is active" in said(topology, "prefix", back, prefix)
    offer = ("prefix", "offer", prefix, "--to", numbers["rival"], "--reason", "a merger")
    assert done(topology, *offer)["receiver"] == numbers["rival"]
    assert done(topology, "prefix", "decline", prefix, "--as", "rival")["state"] == "active"
    done(topology, *offer)
    offered = ("prefix", "list", *SECTOR, "--offered", "--as", "rival")
    assert prefix in said(topology, *offered)
    taken = done(topology, "prefix", "take", prefix, "--as", "rival")
    assert taken["enterprise"] == numbers["rival"]
    hidden = topology.idnode("prefix", "show", prefix, *own)
    assert (hidden.status, "not-found" in hidden.err) == (1, True)


def test_a_rejected_prefix(topology, numbers):
    free = done(topology, "prefix", "apply", "88.901", "--enterprise", numbers["cellar"])
    prefix = free["prefix"]
    rejected = done(topology, "prefix", "reject", prefix, "--reason", "no product under it")
    assert rejected["state"] == "rejected"
    assert "no product under it" in said(topology, "prefix", "show", prefix, "--as", "cellar")


def test_a_prefix_on_another_node(topology, numbers, tmp_path):
    prefix, own = "88.901.302", ("--as", "cellar")
    done(topology, "prefix", "apply", prefix, "--self-hosted", *own)
    assert done(topology, "prefix", "accept", prefix)["state"] == "allocated"
    http = topology.node("distillery").http
    assert done(topology, "prefix", "route", prefix, "--url", http, *own)["state"] == "routed"
    site = tmp_path / "site.json"
    site.write_text("[]")
    bad = topology.idnode("prefix", "route", prefix, "--site", site, *own)
    assert bad.status == 1
    assert topology.idnode("prefix", "route", prefix, *own).status == 2


def test_audits_of_the_national_node(topology, numbers):
    prefix = "88.901.303"
    done(topology, "prefix", "apply", prefix, "--as", "cellar")
    done(topology, "prefix", "accept", prefix)
    assert prefix in said(topology, "prefix", "audits", "88", "--state", "passed")
    for decision in ("pass", "refuse"):
        again = topology.idnode("prefix", decision, prefix, "--reason", "second thoughts")
        assert (again.status, "state-conflict" in again.err) == (1, True)


def test_who_did_what(topology, numbers):
    about = ("--about", numbers["rival"])
    log = done(topology, "audit", "log", "88.901", *about)["items"]
    events = [(entry["event"], entry["by"]) for entry in reversed(log)]
    assert events[:2] == [
        ("enterprise:applied", "rival"),
        ("enterprise:accepted", "operator@88.901"),
    ]
    assert len(done(topology, "audit", "log", "88.901", "--limit", 3)["items"]) == 3
    foreign = topology.idnode("audit", "log", "88.901", *about, "--as", "cellar")
    assert (foreign.status, foreign.out) == (1, "")


def test_an_account_that_is_not_known(topology):
    ended = topology.idnode("prefix", "apply", "88.901", "--as", "nobody")
    assert (ended.status, "nobody" in ended.err) == (2, True)
