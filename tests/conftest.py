"""What tests of every part share."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.support import postgres
from tests.support.processes import Topology, up

#: Identifiers of each sector node: enough for all tests, and few enough for a quick start.
SEED = 30


def pytest_configure() -> None:
    """Have Ctrl-C end the commands that are tried: a shell lets what runs in its background ignore
    it, and whatever that starts.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A PostgreSQL server for the whole run; without one the tests that ask for it are skipped."""
    try:
        with postgres.running() as server:
            yield server
    except LookupError as reason:
        pytest.skip(str(reason))


@pytest.fixture(params=["sqlite", "postgresql"])
def new_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Gives the URL of a new, empty store each time; a test that asks runs on every backend."""
    if request.param == "postgresql":
        server: postgres.Server = request.getfixturevalue("postgres_server")
        return server.new_database
    numbers = count(1)
    return lambda: f"sqlite:///{tmp_path}/store-{next(numbers)}.db"


@pytest.fixture
def store_url(new_store_url: Callable[[], str]) -> str:
    """The URL of a new, empty store, on every backend in turn."""
    return new_store_url()


@pytest.fixture(scope="session")
def sichuan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """The default topology, running: for tests that read, and for the examples of the pages."""
    data = tmp_path_factory.mktemp("sichuan") / "data"
    with up("sichuan", data, seed=SEED, nodes=29) as running:
        yield running
        ended = running.process.stop()
        assert (ended.status, ended.err) == (0, "draining\n")
