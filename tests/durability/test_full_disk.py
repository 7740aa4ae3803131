"""A disk that fills up while nodes run: what is refused says so, and nothing else is disturbed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.disk import filled, small_disk
from tests.support.everywhere import values_of
from tests.support.processes import Topology, idnode, up
from tests.support.wire import fetch, metrics

PREFIX = "88.901.7"
SIZE = 48 << 20
#: Octets that are left: less than a large registration takes, and less than a page more of the log.
ROOMS = (100_000, 4_096, 0)
#: What a write is answered with: a full disk shows before a commit can have happened.
REFUSED = (507, "storage")


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    try:
        with small_disk(tmp_path_factory.mktemp("disk") / "small", SIZE) as path:
            yield path
    except LookupError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def running(disk: Path) -> Iterator[Topology]:
    """Nodes with their data on a small disk; in the end they stop, and all is accounted for."""
    data = disk / "data"
    with up("minimal", data, nodes=5, seed=40) as topology:
        yield topology
        assert topology.process.stop().status == 0
    assert idnode("audit", "verify", "--data", data).status == 0
    with up("minimal", data, nodes=5) as again:
        assert again.process.stop().status == 0


class Writer:
    """Registers with the sector node."""

    def __init__(self, topology: Topology) -> None:
        accounts = json.loads((topology.data / "credentials.json").read_bytes())["accounts"]
        (token,) = {each["token"] for each in accounts if each["prefix"] == PREFIX}
        self._headers = {"Authorization": f"Bearer {token}"}
        self._http = topology.node("baijiu").http

    def one(self, suffix: str, size: int) -> tuple[int, Any]:
        body = json.dumps({"values": values(size)}).encode()
        path = f"/v1/identifiers/{PREFIX}%2F{suffix}"
        reply = fetch(self._http, path, "PUT", body, **self._headers)
        return reply.status, reply.json.get("code")

    def many(self, suffix: str, count: int, size: int = 1_000) -> list[dict[str, Any]]:
        """The lines of the answer to an upload, or the problem in place of them."""
        made = values(size)
        body = b"".join(
            json.dumps({"identifier": f"{PREFIX}/{suffix}-{at:06}", "values": made}).encode()
            + b"\n"
            for at in range(count)
        )
        headers = self._headers | {"Content_Type": "application/x-ndjson"}
        reply = fetch(self._http, "/v1/identifiers/bulk", "POST", body, **headers)
        return [json.loads(line) for line in reply.body.splitlines()]


def values(size: int) -> list[dict[str, Any]]:
    return [{"index": 1, "type": "URL", "data": "x" * size}]


def there(topology: Topology, begins: str) -> int:
    """How many identifiers with such suffixes the store has."""
    exported = topology.idnode("export", "--prefix", PREFIX)
    assert exported.status == 0
    return exported.out.count(f'{{"identifier":"{PREFIX}/{begins}')


@pytest.mark.parametrize("room", ROOMS)
def test_writes_are_refused_resolution_goes_on_and_recovers(
    running: Topology, disk: Path, room: int
) -> None:
    writer, node = Writer(running), running.node("baijiu")
    assert writer.one(f"BEFORE-{room}", 100) == (201, None)
    sample = running.idnode("sample", "--count", "8", "--sector", "88.901").out.split()
    with filled(disk, room):
        for attempt in range(5):
            assert writer.one(f"REFUSED-{room}-{attempt}", 200_000) == REFUSED
        said = writer.many(f"MANY-{room}", 4_000)[-1]
        error = said.get("error", said)
        assert error["code"] == "storage"
        # Names that were asked for never before, and ones that are not there.
        for identifier in sample:
            assert values_of(node, identifier)
        assert fetch(node.http, f"/api/handles/{PREFIX}/REFUSED-{room}-0").status == 404
        assert fetch(node.http, "/readyz").status == 200
        assert metrics(node.metrics_url)["idnode_store_identifiers"] >= 40
    assert there(running, f"REFUSED-{room}") == 0
    assert there(running, f"MANY-{room}") == said.get("committed_through", 0)
    assert writer.one(f"REFUSED-{room}-0", 200_000) == (201, None)
    assert writer.many(f"AFTER-{room}", 2_500)[-1]["accepted"] == 2_500
    assert there(running, f"AFTER-{room}") == 2_500
