"""A server under measurement: its processes, what they use, and where it answers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

from resolver.topology import configs_directory

START_LIMIT: Final = 120.0
SETTLE_LIMIT: Final = 600.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Server:
    """A process and those that it started."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    @property
    def output(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    @property
    def pids(self) -> list[int]:
        return _with_children(self.process.pid)

    @property
    def cpu(self) -> float:
        """CPU seconds used so far, by all processes."""
        return sum(map(cpu_of, self.pids))

    @property
    def resident(self) -> float:
        """Resident memory in MB, of all processes."""
        return sum(map(_resident, self.pids))


@contextlib.contextmanager
def started(command: Sequence[str], core: int | None) -> Iterator[Server]:
    """A server on one core (None: on all that are left) until the block ends."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
    )
    try:
        yield Server(process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=START_LIMIT)


class Topology:
    """`idnode up` with all its nodes serving; it took `seconds` until they did."""

    def __init__(self, server: Server, seconds: float, ready: dict[str, Any]) -> None:
        self.server = server
        self.seconds = seconds
        self._ready = ready

    def address(self, node: str, protocol: str) -> tuple[str, int]:
        """Host and port of a node's service."""
        host, _, port = self.url(node, protocol).rpartition("/")[2].rpartition(":")
        return host, int(port)

    def settle(self) -> None:
        """Wait until the nodes have nothing left to do of their own: values are in their indexes.

        Raises TimeoutError.
        """
        pages = [str(entry["metrics"]) for entry in self._ready["nodes"]]
        limit = time.monotonic() + SETTLE_LIMIT
        while pages:
            pages = [page for page in pages if _is_behind(page)]
            if time.monotonic() > limit:
                raise TimeoutError(f"still making an index: {', '.join(pages)}")
            time.sleep(0.2)

    def url(self, node: str, protocol: str) -> str:
        """A node's service as the ready file has it."""
        entry = next(entry for entry in self._ready["nodes"] if entry["name"] == node)
        return str(entry[protocol])


@contextlib.contextmanager
def topology(
    name: str, data: Path, core: int | None, base_port: int, more: Sequence[str] = ()
) -> Iterator[Topology]:
    """A topology on one core (None: on all that are left) until the block ends."""
    ready = data.parent / "ready.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "resolver.cli", "--quiet", "up", name, "--data", str(data)]
    command += ["--base-port", str(base_port), "--ready-file", str(ready), *more]
    began = time.perf_counter()
    with started(command, core) as server:
        first = server.output.readline()
        seconds = time.perf_counter() - began
        if not first.startswith(b"ready"):
            raise SystemExit(f"idnode up did not start: {first.decode().strip() or 'no output'}")
        yield Topology(server, seconds, json.loads(ready.read_bytes()))


def minimal_with(directory: Path, node: str, line: str) -> str:
    """The topology `minimal` with one more line in the table of a node: its file in `directory`."""
    text = (configs_directory() / "minimal.toml").read_text("utf-8")
    own = f'name = "{node}"\n'
    number, path = tempfile.mkstemp(".toml", dir=directory)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(text.replace(own, f"{own}{line}\n"))
    return path


def _is_behind(page: str) -> bool:
    """Whether a node's metrics say that its index of values does not have all of its log yet."""
    with urllib.request.urlopen(page) as reply:
        text = reply.read().decode()
    return any(
        line.startswith("idnode_search_entries_behind") and float(line.rpartition(" ")[2]) > 0
        for line in text.splitlines()
    )


def _with_children(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _with_children(int(child)))]


def cpu_of(pid: int) -> float:
    """CPU seconds that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
