from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from resolver.cli.main import run
from resolver.data_directory import Account, Credentials, DataDirectory
from tests.support.small_node import TOKEN, SmallNode

TIME = "2026-01-02T03:04:05Z"
BOTTLE = "88.901.7/白酒-0001"
RECORDS = {
    BOTTLE: [
        {"index": 1, "type": "URL", "data": "https://example.org/bottle", "timestamp": TIME},
        {"index": 2, "type": "DESC", "data": "五粮浓香 500 ml", "ttl": 600},
        {"index": 3, "type": "BIN", "data": {"format": "hex", "value": "00ff" * 300}},
        {
            "index": 100,
            "type": "HS_ADMIN",
            "data": {
                "format": "admin",
                "value": {"handle": "88.901.7/ADMIN", "index": 300, "permissions": "1" * 12},
            },
            "permissions": "1111",
        },
    ],
}


class Outcome(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def idnode(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Outcome]:
    """Runs a command line; its status and what it wrote. The default data directory is empty."""
    monkeypatch.setenv("IDNODE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "80")

    def call(*arguments: object, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        status = run([str(argument) for argument in arguments])
        return Outcome(status, *capsys.readouterr())

    return call


@pytest.fixture
def node() -> Iterator[SmallNode]:
    with SmallNode(RECORDS) as running:
        yield running


@pytest.fixture
def data(tmp_path: Path, node: SmallNode) -> DataDirectory:
    """The default data directory, in which the node runs as recursive and as sector node."""
    directory = DataDirectory(tmp_path / "data")
    directory.path.mkdir()
    sector = {**node.ready("baijiu", "sector"), "prefix": "88.901"}
    directory.announce([node.ready(), sector])
    operator = Account("baijiu", "88.901", "operator", "operator", "x", TOKEN)
    hosted = Account("baijiu", "88.901.7", "enterprise-operator", "brewer", "x", TOKEN)
    directory.add_credentials(Credentials([operator, hosted]))
    return directory


@pytest.fixture
def ended_process() -> int:
    """The id of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid
