"""docs/bulk.md from its beginning to its end, as somebody types it, but with a tenth of the rows.

The nodes are on other ports, `~` is a directory of the test, and the PostgreSQL server its own.
"""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.console_blocks import Command, commands, words
from tests.support.postgres import Server
from tests.support.processes import IDNODE, Topology, environment, free_base, up

PAGE = "docs/bulk.md"
NODES = 5
#: The ports of the page: those of the default topology.
BASE = 2640
DATABASE = "postgresql://localhost/baijiu"
SMALLER = {
    "1,018": "118",
    "1000000": "100000",
    "1,000,000": "100,000",
    "CAP-0654321": "CAP-0065432",
}


class Reader:
    """Somebody at a terminal: the nodes that run in another one, variables, a directory."""

    def __init__(self, home: Path, server: Server, stack: ExitStack) -> None:
        self._home = home
        self._url = server.url("baijiu")
        self._base = free_base(NODES)
        self._stack = stack
        self._running: Topology | None = None
        (home / "vars").touch()
        bin_ = os.pathsep.join((str(IDNODE.parent), str(server.bin), os.environ["PATH"]))
        self._environment = environment() | {
            "HOME": str(home),
            "PATH": bin_,
            "PGHOST": "127.0.0.1",
            "PGPORT": str(server.port),
            "PGUSER": "idnode",
        }

    def types(self, line: str) -> str:
        """What the command prints."""
        if line.startswith("idnode up"):
            return self._starts(line)
        if line.startswith("createdb"):
            self._stops()
        script = f". ./vars; set -a; {line}\nstatus=$?; export -p > vars; exit $status"
        done = subprocess.run(
            ["bash", "-c", script],
            capture_output=True,
            text=True,
            timeout=100,
            cwd=self._home,
            env=self._environment,
        )
        assert done.returncode in (0, 1), done.stderr
        return done.stdout + done.stderr

    def here(self, text: str) -> str:
        """What stands on the page as it is for this reader."""
        for there, here in {**SMALLER, "~": str(self._home), DATABASE: self._url}.items():
            text = text.replace(there, here)

        def port(found: re.Match[str]) -> str:
            return str(int(found[0]) - BASE + self._base)

        return re.sub(r"(?<=127\.0\.0\.1:)26\d\d", port, text)

    def _starts(self, line: str) -> str:
        _, _, topology, *options = line.split()
        path = self._home / topology if topology.endswith(".toml") else topology
        seed = options[options.index("--seed") + 1] if "--seed" in options else "0"
        data = Path(options[options.index("--data") + 1])
        running = up(path, data, nodes=NODES, base=self._base, seed=int(seed))
        self._running = self._stack.enter_context(running)
        return "".join(self._running.process.out.lines)

    def _stops(self) -> None:
        assert self._running is not None
        assert self._running.process.stop().status == 0


def _whole(command: Command) -> tuple[str, str]:
    """The command, which goes on in the next line where a pipe ends it, and its output."""
    line, output = command.line, list(command.output)
    while line.endswith("|"):
        line += output.pop(0)
    return line, "\n".join(output)


@pytest.mark.timeout(600)
def test_the_page_is_walked(tmp_path: Path, postgres_server: Server) -> None:
    with ExitStack() as stack:
        reader = Reader(tmp_path, postgres_server, stack)
        walked = commands(PAGE)
        for command in walked:
            line, output = _whole(command)
            printed = words(reader.types(reader.here(line)))
            assert words(reader.here(output)) - printed == set(), line
        assert len(walked) >= 15
