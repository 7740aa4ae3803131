"""A topology whose sector node keeps its identifiers in PostgreSQL, moved there from SQLite."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from time import monotonic

import pytest

from registry import outcomes
from registry.audit.log import Actor
from registry.clock import SystemClock
from registry.registration.changes import Create
from registry.registration.registrar import Registrar
from registry.schemes.handle import Key
from registry.storage.backends import open_store
from registry.values.value import Value
from tests.support.everywhere import ask, codes, values_of
from tests.support.postgres import PATIENCE, Server, running
from tests.support.processes import Node, Topology, idnode, up
from tests.support.stores import minimal_on
from tests.support.wire import fetch, metrics

IDENTIFIER = "88.901.7/HELLO-1"
NODES = 5


@pytest.fixture(scope="module")
def moved(
    postgres_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Topology, str]]:
    """Seeded on SQLite, stopped, copied and started again on PostgreSQL."""
    directory = tmp_path_factory.mktemp("moved")
    data, url = directory / "data", postgres_server.new_database()
    with up("minimal", data, "--seed", 50, nodes=NODES) as before:
        refused = idnode("store", "copy", "baijiu", url, "--data", data)
        assert refused.status == 1
        assert "stop it first" in refused.err
        register(before, IDENTIFIER, "https://example.org/1")
        assert before.process.stop().status == 0
    copied = idnode("store", "copy", "baijiu", url, "--data", data)
    assert copied.status == 0, copied.err
    assert "rows are the same" in copied.out
    with up(minimal_on(url, directory), data, nodes=NODES) as topology:
        yield topology, url


def register(topology: Topology, identifier: str, where: str, *more: object) -> None:
    done = topology.idnode("register", identifier, "--set", f"1:URL={where}", *more)
    assert done.status == 0, done.err


def found(node: Node, identifier: str) -> list[str]:
    """The URLs of an identifier, the same over every protocol."""
    return [value["data"]["value"] for value in values_of(node, identifier)]


def is_absent(node: Node, identifier: str) -> bool:
    answers = ask(node, identifier)
    return {name: answer.code for name, answer in answers.items()} == codes(outcomes.NOT_FOUND)


def test_what_was_registered_before_resolves_over_every_protocol(moved) -> None:
    topology, _ = moved
    for node in ("baijiu", "recursive"):
        assert found(topology.node(node), IDENTIFIER) == ["https://example.org/1"]


def test_a_change_is_right_at_once_over_every_protocol(moved) -> None:
    topology, _ = moved
    identifier, node = "88.901.7/NEW-1", topology.node("baijiu")
    assert is_absent(node, identifier)
    for where in ("https://example.org/a", "https://example.org/b"):
        register(topology, identifier, where, "--overwrite")
        assert found(node, identifier) == [where]


def test_a_change_by_another_process_drops_what_was_kept(moved) -> None:
    topology, url = moved
    key, node = Key("88.901.7", "OTHER-1"), topology.node("baijiu")
    assert is_absent(node, str(key))

    async def write() -> None:
        store = await open_store(url)
        registrar = Registrar(store, SystemClock())
        change = Create(key, [Value(1, b"URL", b"https://example.org/other")])
        await registrar.submit(change, Actor("other", "test"))
        await registrar.aclose()
        await store.close()

    asyncio.run(write())
    assert found(node, str(key)) == ["https://example.org/other"]


def test_tools_read_the_store_where_it_is(moved) -> None:
    topology, _ = moved
    done = topology.idnode("sample", "--count", 50, "--sector", "88.901")
    assert (done.status, len(done.out.split())) == (0, 50)
    shown = metrics(topology.node("baijiu").metrics_url)["idnode_store_identifiers"]
    assert shown >= 51
    page = fetch(topology.node("baijiu").http, "/v1/resolve/88.901.7/HELLO-1?trace=1").json
    assert [step["node"] for step in page["trace"]] == ["baijiu"]
    refused = topology.idnode("store", "backup", "baijiu", topology.data / "backup")
    assert refused.status == 1
    assert "pg_basebackup" in refused.err


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Topology, Server]]:
    """Nodes, of which the sector node is on a server of its own."""
    directory = tmp_path_factory.mktemp("lone")
    try:
        with running() as server:
            topology = minimal_on(server.new_database(), directory)
            with up(topology, directory / "data", nodes=NODES, seed=50) as nodes:
                yield nodes, server
                assert nodes.process.stop().status == 0
    except LookupError as reason:
        pytest.skip(str(reason))


def until(true: Callable[[], bool]) -> None:
    """Ask again and again; fails where it does not become true before long."""
    deadline = monotonic() + PATIENCE
    while not true():
        assert monotonic() < deadline


def test_the_server_is_away_for_a_while(lone: tuple[Topology, Server]) -> None:
    topology, server = lone
    node = topology.node("baijiu")
    sample = topology.idnode("sample", "--count", 20, "--sector", "88.901").out.split()
    known, fresh = sample[:10], sample[10:]
    answers = {name: values_of(node, name) for name in known}
    with server.down():
        for name in known:
            assert values_of(node, name) == answers[name], "what is in a cache goes on"
        for name in fresh:
            said = {protocol: answer.code for protocol, answer in ask(node, name).items()}
            refused = codes(outcomes.STORAGE) | {"http": 503, "https": 503}
            assert said == refused
        for number in range(3):
            refused = topology.idnode("register", f"88.901.7/AWAY-{number}", "--set", "1:URL=x")
            assert refused.status == 1
            assert "(storage)" in refused.err
    until(lambda: topology.idnode("register", "88.901.7/BACK", "--set", "1:URL=b").status == 0)
    for name in fresh:
        assert values_of(node, name)
    assert found(node, "88.901.7/BACK") == ["b"]
    assert is_absent(node, "88.901.7/AWAY-0")
    assert topology.idnode("audit", "verify", "--node", "baijiu").status == 0


def test_the_audit_log_is_held_against_what_is_there(moved, postgres_server: Server) -> None:
    topology, url = moved
    database = url.rpartition("/")[2]
    whole = topology.idnode("audit", "verify")
    assert whole.status == 0, whole.out
    assert "baijiu: " in whole.out
    seen = idnode("audit", "verify", "--node", "baijiu", "--json", "--data", topology.data).json
    # Signed on SQLite when the node stopped there; its parent, on SQLite, kept that.
    assert (seen["findings"], seen["checkpoints"], seen["witnessed"]) == ([], 1, 1)
    entry = seen["entries"]
    change = "UPDATE audit_log SET actor = '{}' WHERE sequence = {}"
    (actor,) = postgres_server.run(
        f"SELECT actor FROM audit_log WHERE sequence = {entry}", database
    ).splitlines()
    postgres_server.run(change.format("nobody", entry), database)
    changed = topology.idnode("audit", "verify", "--node", "baijiu")
    assert (changed.status, f"baijiu: entry {entry}: broken" in changed.out) == (1, True)
    postgres_server.run(change.format(actor, entry), database)
    assert topology.idnode("audit", "verify").status == 0
