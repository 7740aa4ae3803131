"""A topology in which two processes serve the sector node and two the recursive node.

Which of them a connection reaches is the kernel's choice, by the ports of both ends: what is done
over `DOORS` of them is done by both, but for one time in 32,768.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.support.processes import Topology, up
from tests.support.stores import minimal_on

DOORS: Final = 16
PREFIX: Final = "88.901.7"


@contextlib.contextmanager
def running(directory: Path, *options: object, store: str = "sqlite:") -> Iterator[Topology]:
    """It, until the test is done with it; `store` is the database of the sector node."""
    path = minimal_on(store, directory)
    text = path.read_text("utf-8")
    for name in ("baijiu", "recursive"):
        text = text.replace(f'name = "{name}"\n', f'name = "{name}"\nworkers = 2\n')
    path.write_text(text, "utf-8")
    with up(path, directory / "data", *options, nodes=5) as topology:
        yield topology


def token(topology: Topology) -> str:
    """The bearer token of the enterprise hosted on the sector node."""
    accounts = json.loads((topology.data / "credentials.json").read_bytes())["accounts"]
    return next(str(account["token"]) for account in accounts if account["prefix"] == PREFIX)


def worker_of(topology: Topology, name: str) -> int:
    """The process that serves a node beside the one that keeps it."""
    return next(
        process for process in topology.process.children() if _told(process) == [name, "--beside"]
    )


def keeper(topology: Topology) -> int:
    """The process that keeps all nodes."""
    return next(
        process for process in topology.process.children() if "--beside" not in _told(process)
    )


def _told(process: int) -> list[str]:
    return Path(f"/proc/{process}/cmdline").read_text().split("\0")[-3:-1]


@contextlib.contextmanager
def left_alone(topology: Topology) -> Iterator[None]:
    """Nothing that dies is replaced until this is over."""
    os.kill(topology.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(topology.process.pid, signal.SIGCONT)
