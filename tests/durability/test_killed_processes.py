"""What the death of one of several processes of a node costs: nothing that was acknowledged."""

from __future__ import annotations

import http.client
import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from itertools import count
from time import monotonic

import pytest

from registry import outcomes
from resolver.client import Denied
from tests.support.counting import counted, difference
from tests.support.doors import PATIENCE, Sockets, by_handle, fresh, put
from tests.support.everywhere import values_of
from tests.support.processes import (
    Node,
    Topology,
    all_ended,
    watched,
)
from tests.support.wire import fetch, metrics
from tests.support.worked import DOORS, PREFIX, keeper, left_alone, running, token, worker_of


@pytest.fixture
def mortal(tmp_path) -> Iterator[Topology]:
    """A topology to kill processes of."""
    with running(tmp_path) as topology:
        yield topology


def test_without_the_writer_resolution_goes_on_and_changes_are_refused(mortal):
    node, bearer = mortal.node("baijiu"), token(mortal)
    values = values_of(node, "88.901/BOT-000001")
    with left_alone(mortal), watched([keeper(mortal)]) as ended:
        os.kill(keeper(mortal), signal.SIGKILL)
        assert all_ended(ended)
        for _ in range(3):
            assert values_of(node, "88.901/BOT-000001") == values
            refused = put(node, fresh(), "lost", bearer)
            assert (refused.status, refused.json["code"]) == (503, "overloaded")
            listed = fetch(node.https, f"/api/handles?prefix={PREFIX}")
            assert (listed.status, listed.json["responseCode"]) == (503, 3)
            with pytest.raises(Denied) as denied:
                by_handle(mortal, node, fresh())
            assert denied.value.code == outcomes.BUSY.handle
    assert mortal.process.err.until("serving again")
    with Sockets(node) as sockets:
        identifier = fresh()
        assert put(node, identifier, "made", bearer).status == 201
        sockets.until(identifier, lambda reply: b"made" in reply)


def test_figures_outlive_the_worker_that_counted_them(mortal):
    node = mortal.node("baijiu")
    with Sockets(node) as sockets:
        sockets.ask("88.901/BOT-000001")
    before = counted(node, "handle-udp")
    assert before["ok"] >= DOORS
    assert metrics(node.metrics_url)["idnode_workers"] == 2
    os.kill(worker_of(mortal, "baijiu"), signal.SIGKILL)
    assert mortal.process.err.until("serving again")
    assert counted(node, "handle-udp") == before
    with Sockets(node) as sockets:
        sockets.ask("88.901/BOT-000001")
    assert difference(counted(node, "handle-udp"), before) == {"ok": DOORS}


class Registering(threading.Thread):
    """Registers one identifier after another until it is told to stop; `told` are acknowledged."""

    def __init__(self, node: Node, bearer: str, name: str) -> None:
        super().__init__(daemon=True)
        self.told: list[str] = []
        self.enough = threading.Event()
        self._node = node
        self._bearer = bearer
        self._called = name

    def run(self) -> None:
        for number in count(1):
            if self.enough.is_set():
                return
            identifier = f"{PREFIX}/{self._called}-{number}"
            with suppress(OSError, http.client.HTTPException):
                if put(self._node, identifier, identifier, self._bearer).status == 201:
                    self.told.append(identifier)

    def until(self, more: int) -> None:
        """Wait until so many more are acknowledged."""
        wanted, deadline = len(self.told) + more, monotonic() + 3 * PATIENCE
        while len(self.told) < wanted:
            assert monotonic() < deadline, "nothing is acknowledged any more"
            self.join(0.01)


def test_no_acknowledged_registration_is_lost_with_a_process(mortal):
    node, bearer = mortal.node("baijiu"), token(mortal)
    clients = [Registering(node, bearer, f"CLIENT-{number}") for number in range(4)]
    for client in clients:
        client.start()
    for victim in (partial(worker_of, mortal, "baijiu"), partial(keeper, mortal)) * 2:
        for client in clients:
            client.until(5)
        os.kill(victim(), signal.SIGKILL)
        assert mortal.process.err.until("serving again")
    for client in clients:
        client.until(5)
    mortal.process.send(signal.SIGTERM)
    assert mortal.process.wait().status == 0
    assert not list(mortal.data.rglob("*.sock"))
    for client in clients:
        client.enough.set()
        client.join(PATIENCE)
    told = {identifier for client in clients for identifier in client.told}
    with closing(sqlite3.connect(mortal.data / "baijiu" / "node.db")) as store:
        rows = store.execute("SELECT prefix || '/' || suffix FROM identifiers")
        assert told <= {identifier for (identifier,) in rows}
