from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import Server
from tests.support.processes import Node, Topology, up
from tests.support.stores import minimal_on


@pytest.fixture(scope="session")
def minimal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """One node of each role, running: for tests that leave them as good as before."""
    data = tmp_path_factory.mktemp("minimal") / "data"
    with up("minimal", data, nodes=5) as running:
        yield running
        ended = running.process.stop()
        assert (ended.status, ended.err) == (0, "draining\n"), "no traceback, no word"


@pytest.fixture(scope="session")
def minimal_on_postgres(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: Server
) -> Iterator[Topology]:
    """The same with the identifiers of the sector node in PostgreSQL."""
    directory = tmp_path_factory.mktemp("postgres")
    topology = minimal_on(postgres_server.new_database(), directory)
    with up(topology, directory / "data", nodes=5) as running:
        yield running
        ended = running.process.stop()
        assert (ended.status, ended.err) == (0, "draining\n"), "no traceback, no word"


@pytest.fixture(params=["minimal", "minimal_on_postgres"])
def stored(request: pytest.FixtureRequest) -> Topology:
    """Running nodes, on every backend in turn."""
    topology: Topology = request.getfixturevalue(request.param)
    return topology


@pytest.fixture(params=["baijiu", "recursive"])
def node(request: pytest.FixtureRequest, minimal: Topology) -> Node:
    """A sector node, and one that asks others."""
    return minimal.node(request.param)


@pytest.fixture(scope="session")
def provisioned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory of the minimal topology that was used before, which starts faster."""
    data = tmp_path_factory.mktemp("provisioned") / "data"
    with up("minimal", data, nodes=5) as topology:
        assert topology.process.stop().status == 0
    return data


@pytest.fixture
def used_data(provisioned: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(provisioned, tmp_path / "data"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory that is not there yet."""
    return tmp_path / "data"
