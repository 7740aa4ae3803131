"""From "I am a new enterprise" to an identifier that resolves from the root, over real nodes."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry import outcomes
from registry.audit.log import Event
from registry.values.value import Value
from resolver.client import Client, Denied, Endpoint, SecretKey
from tests.support.callers import Caller, Enterprise, enrolled, operator
from tests.support.console_blocks import ROOT
from tests.support.enterprises import form_members
from tests.support.everywhere import ask, codes, values_of
from tests.support.processes import Topology, up

NODES = 5
URL = {"index": 1, "type": "URL", "data": "https://example.test/1"}


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A topology whose national node audits by its operator."""
    text = (ROOT / "configs" / "minimal.toml").read_text()
    operator_line = 'operator = { en = "Demo National Operator"'
    assert text.count(operator_line) == 1
    path = tmp_path_factory.mktemp("manual") / "manual.toml"
    path.write_text(
        text.replace(operator_line, 'settings = { audit = "manual" }\n' + operator_line)
    )
    return path


@pytest.fixture(scope="module")
def topology(manual: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with up(manual, tmp_path_factory.mktemp("enterprises") / "data", nodes=NODES) as running:
        yield running
        ended = running.process.stop()
        # Refused proofs are told in lines of JSON.
        assert (ended.status, "Traceback" in ended.err) == (0, False)


@pytest.fixture(scope="module")
def sector(topology: Topology) -> Caller:
    """The operator of the sector node."""
    return operator(topology, "baijiu", "88.901")


@pytest.fixture(scope="module")
def national(topology: Topology) -> Caller:
    """The operator of the national node."""
    return operator(topology, "chongqing", "88")


@pytest.fixture(scope="module")
def cellar(topology: Topology, sector: Caller) -> Enterprise:
    """An enterprise that was accepted."""
    made = enrolled(topology.node("baijiu"), 1)
    sector.done("POST", f"/v1/enterprises/{made.number}/accept")
    return made


@pytest.fixture(scope="module")
def rival(topology: Topology, sector: Caller) -> Enterprise:
    """Another one."""
    made = enrolled(topology.node("baijiu"), 2)
    sector.done("POST", f"/v1/enterprises/{made.number}/accept")
    return made


def allocated(sector: Caller, national: Caller, enterprise: Enterprise, **wanted: str) -> str:
    """A prefix of the enterprise that has passed both reviews; its state then."""
    prefix = enterprise.caller.done("POST", "/v1/prefixes", wanted)["prefix"]
    waiting = sector.done("POST", f"/v1/prefixes/{prefix}/accept")
    assert waiting["state"] == "submitted"
    national.done("POST", f"/ntn/v1/prefixes/{prefix}/pass", {"reason": "in order"})
    state: str = enterprise.caller.done("POST", f"/v1/prefixes/{prefix}/poll")["state"]
    return state


def register(caller: Caller, identifier: str) -> int:
    """Try to register an identifier; the status."""
    return caller.ask("PUT", f"/v1/identifiers/{identifier}", {"values": [URL]}).status


def test_a_new_enterprise_comes_to_an_identifier_that_resolves(topology, sector, national):
    new = enrolled(topology.node("baijiu"), 10)
    prefix = new.caller.done("POST", "/v1/prefixes", {"prefix": "88.901.10"})["prefix"]
    assert sector.refused("POST", f"/v1/prefixes/{prefix}/accept") == (409, "state-conflict")
    assert register(new.caller, f"{prefix}/BOT-1") == 403
    sector.done("POST", f"/v1/enterprises/{new.number}/accept")
    assert sector.done("POST", f"/v1/prefixes/{prefix}/accept")["state"] == "submitted"
    (waiting,) = [
        each
        for each in national.items("/ntn/v1/prefixes?state=pending")
        if each["prefix"] == prefix
    ]
    assert waiting["sector"] == "88.901"
    national.done("POST", f"/ntn/v1/prefixes/{prefix}/pass", {"reason": "in order"})
    assert new.caller.done("POST", f"/v1/prefixes/{prefix}/poll")["state"] == "active"
    assert register(new.caller, f"{prefix}/BOT-1") == 201
    for name in ("baijiu", "recursive"):
        (value,) = values_of(topology.node(name), f"{prefix}/BOT-1")
        assert value["data"]["value"] == "https://example.test/1"
    steps = new.caller.done("GET", f"/v1/prefixes/{prefix}")["milestones"]
    assert [(step["state"], step["by"]) for step in steps] == [
        ("applied", "enterprise-10"),
        ("accepted", "operator@88.901"),
        ("submitted", "idnode"),
        ("allocated", "idnode"),
        ("routed", "idnode"),
        ("active", "idnode"),
    ]
    who = {(each["event"], each["by"]) for each in new.caller.items("/v1/audit")}
    assert {
        (Event.ENTERPRISE_APPLIED, "enterprise-10"),
        (Event.ENTERPRISE_ACCEPTED, "operator@88.901"),
        (Event.PREFIX_ACCEPTED, "operator@88.901"),
        (Event.IDENTIFIER_CREATED, "enterprise-10"),
    } <= who


def test_its_administrator_works_over_handle(topology, sector, national, cellar):
    assert allocated(sector, national, cellar, prefix="88.901.11") == "active"
    made = cellar.caller.done("POST", "/v1/prefixes/88.901.11/administrator")
    key = SecretKey(made["handle"], made["index"], made["secret"].encode())
    endpoint = Endpoint(*topology.node("baijiu").handle)

    async def administer() -> None:
        async with Client().administer(endpoint, key) as server:
            await server.create("88.901.11/BY-HANDLE", [Value(1, b"URL", b"https://a.example/")])

    asyncio.run(administer())
    assert values_of(topology.node("recursive"), "88.901.11/BY-HANDLE")


def test_a_refused_prefix_says_why(topology, sector, national, cellar):
    prefix = "88.901.12"
    cellar.caller.done("POST", "/v1/prefixes", {"prefix": prefix})
    sector.done("POST", f"/v1/prefixes/{prefix}/accept")
    national.done("POST", f"/ntn/v1/prefixes/{prefix}/refuse", {"reason": "kept for a port"})
    assert cellar.caller.done("POST", f"/v1/prefixes/{prefix}/poll")["state"] == "rejected"
    last = cellar.caller.done("GET", f"/v1/prefixes/{prefix}")["milestones"][-1]
    assert (last["operation"], last["reason"]) == ("failed", "kept for a port")


def test_a_prefix_on_a_node_of_the_enterprises_own(topology, sector, national, cellar):
    prefix, distillery = "88.901.20", topology.node("distillery")
    assert allocated(sector, national, cellar, prefix=prefix, hosting="self-hosted") == "allocated"
    for body in ({"url": "http://127.0.0.1:1"}, {"url": "http://169.254.169.254"}, {}):
        assert cellar.caller.refused("POST", f"/v1/prefixes/{prefix}/route", body)[0] == 422
    routed = cellar.caller.done("POST", f"/v1/prefixes/{prefix}/route", {"url": distillery.http})
    assert (routed["state"], "does not answer" in routed["problem"]) == ("routed", True)
    _at_distillery(topology, prefix)
    assert cellar.caller.done("POST", f"/v1/prefixes/{prefix}/poll")["state"] == "active"
    assert values_of(topology.node("recursive"), f"{prefix}/HERE")
    sector.done("POST", f"/v1/prefixes/{prefix}/revoke", {"reason": "closed"})
    fresh = topology.idnode("resolve", f"{prefix}/HERE", "--fresh", "--json")
    assert (fresh.status, fresh.json["responseCode"]) == (1, outcomes.NOT_FOUND.handle)
    assert sector.done("POST", f"/v1/prefixes/{prefix}/restore")["state"] == "active"
    assert topology.idnode("resolve", f"{prefix}/HERE", "--fresh").status == 0


def _at_distillery(topology: Topology, prefix: str) -> None:
    """Home a prefix on the enterprise's node and register an identifier, by its administrator."""
    admins = json.loads((topology.data / "credentials.json").read_bytes())["handle_admins"]
    admin = next(each for each in admins if each["prefix"] == "88.901.100")
    key = SecretKey(admin["handle"], admin["index"], admin["secret"].encode())
    endpoint = Endpoint(*topology.node("distillery").handle)

    async def administer() -> None:
        async with Client().administer(endpoint, key) as server:
            await server.home(prefix)
            await server.create(f"{prefix}/HERE", [Value(1, b"URL", b"https://b.example/")])

    asyncio.run(administer())


def test_suspended_and_revoked_it_is_not_answered_for(topology, sector, national, cellar):
    prefix, node = "88.901.30", topology.node("baijiu")
    assert allocated(sector, national, cellar, prefix=prefix) == "active"
    assert register(cellar.caller, f"{prefix}/X") == 201
    assert values_of(node, f"{prefix}/X")
    gone = codes(outcomes.NOT_FOUND)
    # Nobody acts for a revoked prefix; of a suspended one it is told that it is not homed.
    for end, back, status in (("suspend", "resume", 421), ("revoke", "restore", 403)):
        sector.done("POST", f"/v1/prefixes/{prefix}/{end}", {"reason": "overdue"})
        answers = ask(node, f"{prefix}/X")
        assert {name: answer.code for name, answer in answers.items()} == gone
        assert register(cellar.caller, f"{prefix}/Y") == status
        assert sector.done("POST", f"/v1/prefixes/{prefix}/{back}")["state"] == "active"
        assert values_of(node, f"{prefix}/X")


def test_a_transfer_moves_the_rights_at_once(topology, sector, national, cellar, rival):
    prefix = "88.901.40"
    assert allocated(sector, national, cellar, prefix=prefix) == "active"
    offer = {"receiver": rival.number, "reason": "a merger"}
    assert cellar.caller.refused("POST", f"/v1/prefixes/{prefix}/offer", offer)[0] == 403
    sector.done("POST", f"/v1/prefixes/{prefix}/offer", offer)
    assert cellar.caller.refused("POST", f"/v1/prefixes/{prefix}/take")[0] == 403
    assert [each["prefix"] for each in rival.caller.items("/v1/prefixes?offered=true")] == [prefix]
    taken = rival.caller.done("POST", f"/v1/prefixes/{prefix}/take")
    assert (taken["enterprise"], taken["state"]) == (rival.number, "active")
    assert register(cellar.caller, f"{prefix}/OLD") == 403
    assert register(rival.caller, f"{prefix}/NEW") == 201
    assert cellar.caller.refused("GET", f"/v1/prefixes/{prefix}") == (404, "not-found")


def test_a_transfer_ends_sessions_over_handle(topology, sector, national, cellar, rival):
    prefix = "88.901.41"
    assert allocated(sector, national, cellar, prefix=prefix) == "active"
    made = cellar.caller.done("POST", f"/v1/prefixes/{prefix}/administrator")
    key = SecretKey(made["handle"], made["index"], made["secret"].encode())
    endpoint = Endpoint(*topology.node("baijiu").handle)
    url = Value(1, b"URL", b"https://a.example/")

    def transfer() -> None:
        sector.done("POST", f"/v1/prefixes/{prefix}/offer", {"receiver": rival.number})
        rival.caller.done("POST", f"/v1/prefixes/{prefix}/take")
        rival.caller.done("POST", f"/v1/prefixes/{prefix}/administrator")

    async def administer() -> None:
        async with Client().administer(endpoint, key) as server:
            await server.create(f"{prefix}/OLD", [url])
            await asyncio.to_thread(transfer)
            with pytest.raises(Denied):
                await server.create(f"{prefix}/LATER", [url])

    asyncio.run(administer())


def test_enterprises_do_not_see_one_another(topology, sector, national, cellar, rival):
    prefix = "88.901.50"
    cellar.caller.done("POST", "/v1/prefixes", {"prefix": prefix})
    hidden = (404, "not-found")
    for method, path, body in (
        ("GET", f"/v1/prefixes/{prefix}", None),
        ("POST", f"/v1/prefixes/{prefix}/poll", None),
        ("POST", f"/v1/prefixes/{prefix}/accept", None),
        ("POST", f"/v1/prefixes/{prefix}/suspend", {"reason": ""}),
        ("POST", f"/v1/prefixes/{prefix}/administrator", None),
        ("POST", "/v1/prefixes", {"enterprise": cellar.number}),
        ("GET", f"/v1/enterprises/{cellar.number}", None),
        ("PUT", f"/v1/enterprises/{cellar.number}", form_members(2)),
        ("GET", f"/v1/audit?about={cellar.number}", None),
        ("GET", f"/v1/audit?about={prefix}", None),
        ("GET", f"/v1/prefixes?enterprise={cellar.number}", None),
    ):
        assert rival.caller.refused(method, path, body) == hidden, path
    assert [each["number"] for each in rival.caller.items("/v1/enterprises")] == [rival.number]
    seen = json.dumps([rival.caller.items("/v1/prefixes"), rival.caller.items("/v1/audit")])
    assert prefix not in seen
    assert cellar.number not in seen
    assert prefix in [each["prefix"] for each in sector.items("/v1/prefixes")]
    assert rival.caller.refused("POST", f"/v1/enterprises/{rival.number}/accept")[0] == 403


def test_the_national_node_takes_commands_from_nodes_below_it_only(topology):
    stranger = Caller(topology.node("chongqing").http)
    poll = {"command": "poll", "clTRID": "abc", "op": "req"}
    assert stranger.refused("POST", "/ntn/v1/commands", poll) == (401, "authentication")
    assert stranger.refused("GET", "/ntn/v1/prefixes")[0] == 401


def test_topologies_give_enterprises_too(topology, sector):
    found = {each["prefix"]: each for each in sector.items("/v1/prefixes")}
    assert (found["88.901.7"]["state"], found["88.901.7"]["hosting"]) == ("active", "hosted")
    assert found["88.901.100"]["hosting"] == "self-hosted"
    owner = operator(topology, "baijiu", "88.901.7")
    assert owner.done("GET", "/v1/me")["enterprise"] == found["88.901.7"]["enterprise"]
    names = {each["enterprise"]["name"] for each in sector.items("/v1/enterprises")}
    assert {"示例灌装厂", "示例老窖酒厂"} <= names


def test_a_crowd_from_one_place_is_held_back(topology):
    stranger = Caller(topology.node("baijiu").http)
    body = {**form_members(77), "account": {"username": "crowd", "password": "short"}}
    replies = [stranger.refused("POST", "/v1/enterprises", body)[0] for _ in range(30)]
    assert replies[0] == 422
    assert replies[-1] == 429


def test_killed_between_two_steps_it_goes_on(manual: Path, tmp_path: Path):
    """The sector's review is done and the national audit is not when everything dies."""
    data, prefix = tmp_path / "data", "88.901.60"
    with up(manual, data, nodes=NODES) as running:
        sector = operator(running, "baijiu", "88.901")
        new = enrolled(running.node("baijiu"), 1)
        sector.done("POST", f"/v1/enterprises/{new.number}/accept")
        new.caller.done("POST", "/v1/prefixes", {"prefix": prefix})
        assert sector.done("POST", f"/v1/prefixes/{prefix}/accept")["state"] == "submitted"
        sector.done("POST", "/v1/prefixes/88.901.7/suspend", {"reason": "overdue"})
        running.process.send(signal.SIGKILL)
        running.process.wait()
        base = running.base
    with up(manual, data, nodes=NODES, base=base) as running:
        national = operator(running, "chongqing", "88")
        national.done("POST", f"/ntn/v1/prefixes/{prefix}/pass", {"reason": "in order"})
        assert new.caller.done("POST", f"/v1/prefixes/{prefix}/poll")["state"] == "active"
        assert register(new.caller, f"{prefix}/AFTER") == 201
        assert values_of(running.node("recursive"), f"{prefix}/AFTER")
        sector = operator(running, "baijiu", "88.901")
        suspended = sector.done("GET", "/v1/prefixes/88.901.7")
        assert suspended["state"] == "suspended", "a restart does not end it"
        found = {
            name: each.code for name, each in ask(running.node("baijiu"), "88.901.7/X").items()
        }
        assert found == codes(outcomes.NOT_FOUND)
