from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from resolver.cli.main import run
from resolver.data_directory import Account, Credentials, DataDirectory
from tests.support.small_node import TOKEN, SmallNode

NAMES = [f"88.901.7/BOT-{number}" for number in range(20)]
PROFILE = """
name = "small"
title = { en = "Small", zh = "小" }
patience = "500ms"
thresholds = ["errors = 0", "p99 < 10s"]
[[load]]
name = "udp"
operation = "handle-udp"
stages = [{ for = "300ms", rate = 100 }]
[[load]]
name = "json"
operation = "http-get"
stages = [{ for = "300ms", rate = 50 }]
"""


class Outcome(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def node() -> Iterator[SmallNode]:
    records: dict[str, list[dict[str, Any]]] = {
        name: [
            {
                "index": 1,
                "type": "URL",
                "data": f"https://example.org/{name}",
                "timestamp": "2026-01-02T03:04:05Z",
            }
        ]
        for name in NAMES
    }
    with SmallNode(records) as running:
        yield running


@pytest.fixture
def data(tmp_path: Path, node: SmallNode) -> Path:
    """A data directory in which the small node runs as recursive and as sector node."""
    directory = DataDirectory(tmp_path / "data")
    directory.path.mkdir()
    sector = {**node.ready("baijiu", "sector"), "prefix": "88.901"}
    directory.announce([node.ready(), sector])
    hosted = Account("baijiu", "88.901.7", "enterprise-operator", "brewer", "x", TOKEN)
    directory.add_credentials(Credentials([hosted]))
    return directory.path


@pytest.fixture
def names(tmp_path: Path) -> Path:
    path = tmp_path / "names"
    path.write_text("\n".join(NAMES))
    return path


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(PROFILE)
    return path


@pytest.fixture
def load(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: Path, names: Path
) -> Callable[..., Outcome]:
    """Runs `idnode load`; its status and what it wrote."""
    monkeypatch.setenv("IDNODE_DATA", str(data))
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments: object) -> Outcome:
        status = run(["load", *map(str, arguments)])
        return Outcome(status, *capsys.readouterr())

    return call
