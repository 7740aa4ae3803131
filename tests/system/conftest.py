from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import Node, Topology, up

#: Identifiers of each sector node: enough for all tests, and few enough for a quick start.
SEED = 30
SICHUAN_NODES = 30


@pytest.fixture(scope="session")
def sichuan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """The default topology, running: for tests that only read."""
    data = tmp_path_factory.mktemp("sichuan") / "data"
    with up("sichuan", data, seed=SEED, nodes=SICHUAN_NODES) as running:
        yield running
        ended = running.process.stop()
        assert (ended.status, ended.err) == (0, "draining\n")


@pytest.fixture(scope="session")
def minimal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """One node of each role, running: for tests that leave them as good as before."""
    data = tmp_path_factory.mktemp("minimal") / "data"
    with up("minimal", data, nodes=5) as running:
        yield running
        ended = running.process.stop()
        assert (ended.status, ended.err) == (0, "draining\n"), "no traceback, no word"


@pytest.fixture(params=["baijiu", "recursive"])
def node(request: pytest.FixtureRequest, minimal: Topology) -> Node:
    """A sector node, and one that asks others."""
    return minimal.node(request.param)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory that is not there yet."""
    return tmp_path / "data"
