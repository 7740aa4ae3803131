"""The installed `idnode` command as real processes, each ended by its own process id.

Nothing here sleeps: what a process says on its streams is waited for.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import random
import select
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, NamedTuple, Self

IDNODE = Path(sys.executable).with_name("idnode")
#: Seconds after which something that should have happened long ago is given up.
PATIENCE = 30.0
#: Offsets of a node's ports in its block: Handle, HTTP, DNS, HTTPS, metrics.
_OFFSETS = range(1, 6)


class Outcome(NamedTuple):
    """How a command ended, and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def idnode(*arguments: object, stdin: str = "") -> Outcome:
    """Run a command line to its end."""
    done = subprocess.run(
        [IDNODE, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environment(),
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def environment() -> dict[str, str]:
    """The environment of every command: nobody's data directory, 80 columns."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("IDNODE_")}
    return kept | {"COLUMNS": "80", "NO_COLOR": "1"}


def free_base(nodes: int) -> int:
    """The first port of blocks for so many nodes that nobody uses now.

    They lie below the ports that the kernel gives to clients, and have four digits as the usual
    ones do. Nothing listens on the first port of a block: it is held as a sign that the block is
    taken, so that tests that run at the same time do not choose the same one.
    """
    for _ in range(100):
        base = random.randrange(300, 1000 - nodes) * 10
        blocks = range(base, base + 10 * nodes, 10)
        claims = [claim for block in blocks if (claim := _claimed(block)) is not None]
        if len(claims) == nodes and all(
            _is_free(block + offset) for block in blocks for offset in _OFFSETS
        ):
            _CLAIMS.append(claims)
            if len(_CLAIMS) > _RECENT:
                for claim in _CLAIMS.popleft():
                    claim.close()
            return base
        for claim in claims:
            claim.close()
    raise AssertionError("no free block of ports")


#: Claims of the latest choices: by the time one is given up its nodes listen, or have ended.
_CLAIMS: deque[list[socket.socket]] = deque()
_RECENT: Final = 12


def _claimed(port: int) -> socket.socket | None:
    holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        holder.bind(("127.0.0.1", port))
    except OSError:
        holder.close()
        return None
    return holder


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


class _Stream:
    """The lines of a stream, as they come and all together."""

    def __init__(self, file: IO[str]) -> None:
        self.lines: list[str] = []
        self._arriving: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(file,), daemon=True)
        self._reader.start()

    def _read(self, file: IO[str]) -> None:
        with file:
            for line in file:
                self.lines.append(line)
                self._arriving.put(line)
        self._arriving.put(None)

    def until(self, text: str) -> str | None:
        """The next line with the text in it; None where the stream ends before."""
        while (line := self._arriving.get(timeout=PATIENCE)) is not None:
            if text in line:
                return line
        return None

    def rest(self) -> str:
        """Everything, after the stream has ended."""
        self._reader.join(PATIENCE)
        return "".join(self.lines)


class Process:
    """A long-running `idnode` command. Leaving its context kills it if it still runs."""

    def __init__(self, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [IDNODE, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        assert self._process.stdout
        assert self._process.stderr
        self.out = _Stream(self._process.stdout)
        self.err = _Stream(self._process.stderr)

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill it if it still runs."""
        if self._process.poll() is None:
            self.kill()

    def started(self) -> Self:
        """Wait for the line that begins with `ready`."""
        try:
            assert self.out.until("ready"), f"it ended: {self.err.rest()}"
        except BaseException:
            self._process.kill()
            raise
        return self

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self) -> Outcome:
        """Its end, and everything it wrote."""
        status = self._process.wait(PATIENCE)
        return Outcome(status, self.out.rest(), self.err.rest())

    def stop(self, number: int = signal.SIGTERM) -> Outcome:
        """End it in the proper way."""
        self.send(number)
        return self.wait()

    def kill(self) -> None:
        """End it, and the processes it started, in the way that nothing survives."""
        children = self.children()
        self._process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._process.wait(PATIENCE)

    def children(self) -> list[int]:
        """The processes that it started and that live."""
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(child) for child in path.read_text().split()] if path.exists() else []


@contextlib.contextmanager
def watched(processes: list[int]) -> Iterator[list[int]]:
    """Descriptors that become readable when these processes end."""
    descriptors = [os.pidfd_open(process) for process in processes]
    try:
        yield descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def all_ended(descriptors: list[int]) -> bool:
    """Whether all of them end before long."""
    return all(select.select([one], [], [], PATIENCE)[0] for one in descriptors)


class Topology:
    """A topology that runs in one process: its data directory, its ports, its ready file."""

    def __init__(
        self, process: Process, data: Path, base: int, seed: int, ready: dict[str, Any]
    ) -> None:
        self.process = process
        self.seed = seed
        self.data = data
        self.base = base
        self.ready = ready
        self.nodes: dict[str, dict[str, Any]] = {node["name"]: node for node in ready["nodes"]}

    def node(self, name: str) -> Node:
        """One of its nodes."""
        return Node(self.nodes[name])

    def idnode(self, *arguments: object, stdin: str = "") -> Outcome:
        """Run a command about this topology."""
        return idnode(*arguments, "--data", self.data, stdin=stdin)


class Node:
    """The addresses of a node, from its entry in the ready file."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.name = entry["name"]
        self.role = entry["role"]
        self.prefix = entry["prefix"]
        self.http = entry["http"]
        self.https = entry["https"]
        self.metrics_url = entry["metrics"]
        self.handle = _address(entry["handle"])
        self.dns = _address(entry["dns"])


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def up(
    topology: str | Path,
    data: Path,
    *options: object,
    nodes: int,
    base: int | None = None,
    **more: int,
) -> contextlib.AbstractContextManager[Topology]:
    """`idnode up` from its ready line on; killed at the end if it still runs."""
    return _running(("up", topology), data, options, base or free_base(nodes), **more)


def serve(
    name: str, topology: str | Path, data: Path, *options: object, base: int, **more: int
) -> contextlib.AbstractContextManager[Topology]:
    """`idnode serve` of one node, in the same way."""
    return _running(("serve", name, topology), data, options, base, **more)


@contextlib.contextmanager
def _running(
    command: tuple[object, ...], data: Path, options: tuple[object, ...], base: int, seed: int = 10
) -> Iterator[Topology]:
    ready = data.with_name(f"{data.name}.{command[1]}.ready.json".replace("/", "-"))
    ready.unlink(missing_ok=True)
    arguments = ("--data", data, "--base-port", base, "--seed", seed, "--ready-file", ready)
    with Process(*command, *arguments, *options) as process:
        process.started()
        if command[0] == "up" and seed:
            # The greeting asks, too: from here on nobody does but the test.
            process.out.until("Ctrl-C ends it")
        yield Topology(process, data, base, seed, json.loads(ready.read_bytes()))
