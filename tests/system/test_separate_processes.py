"""Nodes as processes of their own: what one's death does to the others, and to itself: nothing."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry import outcomes
from tests.support.everywhere import ask, codes, values_of
from tests.support.processes import Node, Process, all_ended, free_base, idnode, up, watched

NAMES = ("recursive", "root", "chongqing", "baijiu", "distillery")


class Separate:
    """The minimal topology, each node served by a process of its own on one data directory."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.base = free_base(len(NAMES))
        self.processes: dict[str, Process] = {}

    def start(self, *names: str) -> None:
        """Serve these nodes; they start at the same time."""
        for name in names:
            options = ("--data", self.data, "--base-port", self.base, "--seed", 10)
            self.processes[name] = Process("serve", name, "minimal", *options)
        for name in names:
            self.processes[name].started()

    def node(self, name: str) -> Node:
        entries = self.idnode("nodes", "--json").json["nodes"]
        return Node(next(entry for entry in entries if entry["name"] == name))

    def idnode(self, *arguments: object):
        return idnode(*arguments, "--data", self.data)

    def listed(self) -> set[str]:
        return {entry["name"] for entry in self.idnode("nodes", "--json").json["nodes"]}


@pytest.fixture
def separate(used_data: Path) -> Iterator[Separate]:
    nodes = Separate(used_data)
    try:
        nodes.start(*NAMES)
        yield nodes
    finally:
        for process in nodes.processes.values():
            process.close()


def test_a_sector_node_is_killed_and_comes_back(separate):
    recursive = separate.node("recursive")
    registered = separate.idnode("register", "88.901.7/KEPT", "--set", "1:NOTE=kept")
    assert registered.status == 0
    before = values_of(recursive, "88.901.7/BOT-000001")
    credentials = (separate.data / "credentials.json").read_bytes()

    separate.processes["baijiu"].kill()
    assert separate.listed() == set(NAMES) - {"baijiu"}
    assert values_of(recursive, "0.NA/88.901") == values_of(
        separate.node("chongqing"), "0.NA/88.901"
    )
    assert values_of(recursive, "88.901.7/BOT-000001") == before, "what was asked before is kept"
    lost = ask(recursive, "88.901.7/KEPT")
    assert {name: answer.code for name, answer in lost.items()} == codes(outcomes.UPSTREAM_TIMEOUT)
    said = separate.idnode("resolve", "88.901/BOT-000001")
    assert (said.status, said.out) == (1, "")
    assert "response code 2" in said.err
    refused = separate.idnode("register", "88.901.7/LOST", "--set", "1:NOTE=lost")
    assert refused.status == 1

    separate.start("baijiu")
    assert separate.listed() == set(NAMES)
    assert (separate.data / "credentials.json").read_bytes() == credentials
    [kept] = values_of(separate.node("baijiu"), "88.901.7/KEPT")
    assert kept["data"]["value"] == "kept"
    fresh = separate.idnode("resolve", "88.901.7/KEPT", "--fresh", "--json")
    assert (fresh.status, fresh.json["values"]) == (0, [kept])
    assert values_of(recursive, "88.901.7/KEPT") == [kept]
    assert values_of(recursive, "88.901.7/BOT-000001") == before


def test_a_node_is_served_once_and_each_ends_by_itself(separate):
    options = ("--data", separate.data, "--base-port", free_base(len(NAMES)))
    second = idnode("serve", "root", "minimal", *options)
    assert (second.status, second.out) == (1, "")
    assert f"process {separate.processes['root'].pid}" in second.err
    everything = idnode("up", "minimal", *options)
    assert (everything.status, everything.out) == (1, "")
    assert "in use by node" in everything.err
    for number, name in enumerate(NAMES[1:], 1):
        ended = separate.processes[name].stop(signal.SIGTERM)
        assert (ended.status, ended.err) == (0, "draining\n")
        assert separate.listed() == {"recursive", *NAMES[number + 1 :]}
    assert separate.processes["recursive"].stop(signal.SIGINT).status == 0
    assert separate.idnode("nodes").status == 3
    assert not (separate.data / "running.json").exists()


def test_an_unknown_node_is_named(data):
    done = idnode("serve", "nobody", "minimal", "--data", data)
    assert (done.status, done.out) == (2, "")
    assert "nobody" in done.err
    assert "baijiu" in done.err


def test_a_killed_worker_comes_back(used_data):
    with up("minimal", used_data, "--processes", 3, nodes=len(NAMES)) as topology:
        workers = topology.process.children()
        assert len(workers) == 3
        before = values_of(topology.node("recursive"), "88.901.100/BOT-000001")
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
            assert topology.process.err.until("serving again")
        assert values_of(topology.node("recursive"), "88.901.100/BOT-000001") == before
        assert set(topology.process.children()).isdisjoint(workers)
        with watched(topology.process.children()) as descriptors:
            assert topology.process.stop().status == 0
            assert all_ended(descriptors)
        assert not (used_data / "running.json").exists()


def test_no_worker_outlives_its_supervisor(used_data):
    with up("minimal", used_data, "--processes", 2, nodes=len(NAMES)) as topology:
        with watched(topology.process.children()) as descriptors:
            topology.process.send(signal.SIGKILL)
            topology.process.wait()
            assert all_ended(descriptors)
        assert topology.idnode("nodes").status == 3
    with up("minimal", used_data, "--processes", 2, nodes=len(NAMES), base=topology.base) as again:
        assert json.dumps(again.ready) == json.dumps(topology.ready)
        assert again.process.stop().status == 0
