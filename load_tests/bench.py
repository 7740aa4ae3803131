"""`make bench`: start-up, memory and warm answers a second, printed and kept as data.

    python -m load_tests.bench [--out FILE] [--seconds S]

The nodes run as `idnode up` on the first core this process may use, the generator on the last one,
so that on two cores each has its own. CPU per query is the server's, from /proc; the rate is what
the generator got through, and on a busy machine says as much of the generator.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from load_tests.measure import Summary, run_udp
from load_tests.requests import dns, handle
from load_tests.requests.template import Template, Wire
from registry.schemes.dns_name import to_name
from registry.schemes.handle import Key
from registry.storage.backends import open_reads
from resolver.data_directory import DataDirectory

BASE_PORT: Final = 31_640
SECTOR: Final = "baijiu"
SAMPLE: Final = 1000
#: Requests under way: enough to keep the server busy, not so many that they wait long.
OUTSTANDING: Final = 256
START_LIMIT: Final = 60.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Figure(NamedTuple):
    """One thing measured: `value` in `unit`, and the goal it is held against, if there is one."""

    name: str
    value: float
    unit: str
    goal: str = ""


class Topology:
    """A running `idnode up` in a data directory."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float, ready: dict[str, Any]):
        self.process = process
        self.seconds = seconds
        self.ready = ready

    @property
    def resident(self) -> float:
        """Resident memory in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    @property
    def cpu(self) -> float:
        """CPU seconds used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def address(self, node: str, protocol: str) -> tuple[str, int]:
        """Host and port of a node's service."""
        entry = next(entry for entry in self.ready["nodes"] if entry["name"] == node)
        host, _, port = entry[protocol].rpartition(":")
        return host, int(port)


@contextlib.contextmanager
def running(data: Path, core: int) -> Iterator[Topology]:
    """`idnode up` on one core until the block ends; the time it took to serve all nodes."""
    ready = data.parent / "ready.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "resolver.cli", "--quiet", "up", "--data", str(data)]
    command += ["--base-port", str(BASE_PORT), "--ready-file", str(ready)]
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        seconds = time.perf_counter() - started
        if not first.startswith(b"ready"):
            raise SystemExit(f"idnode up did not start: {first.decode().strip() or 'no output'}")
        yield Topology(process, seconds, json.loads(ready.read_bytes()))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=START_LIMIT)


def measure(seconds: float) -> list[Figure]:
    """Everything, one after the other."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    with tempfile.TemporaryDirectory(prefix="idnode-bench-") as directory:
        data = Path(directory) / "data"
        with running(data, cores[0]) as topology:
            figures = [Figure("start, nothing there yet", topology.seconds, "s", "<= 10")]
        with running(data, cores[0]) as topology:
            figures.append(Figure("start, data in place", topology.seconds, "s", "<= 3"))
            figures.append(Figure("resident, idle", topology.resident, "MB", "<= 300"))
            for name, protocol, wire, templates in _loads(data):
                figures += _answers(topology, name, protocol, wire, templates, seconds)
            figures.append(Figure("resident, after load", topology.resident, "MB", "<= 300"))
    return figures


async def _sample(store: str) -> list[tuple[Key, bytes]]:
    reads = await open_reads(store)
    try:
        return [(key, await reads.record(*key) or b"") for key in await reads.sample(SAMPLE)]
    finally:
        await reads.close()


def _loads(data: Path) -> Iterator[tuple[str, str, Wire, list[Template]]]:
    records = asyncio.run(_sample(DataDirectory(data).store_url(SECTOR)))
    asked = [handle.resolution(str(key).encode(), record) for key, record in records]
    yield "Handle UDP, warm", "handle", handle.UDP, asked
    names = [dns.question(to_name(key), record) for key, record in records]
    yield "DNS UDP TXT, warm", "dns", dns.UDP, names


def _answers(
    topology: Topology,
    name: str,
    protocol: str,
    wire: Wire,
    templates: list[Template],
    seconds: float,
) -> list[Figure]:
    """CPU per query and rate of one service with all names in its caches."""
    address = topology.address(SECTOR, protocol)
    run_udp(address, templates, wire, seconds=1.0, outstanding=OUTSTANDING)
    before = topology.cpu
    summary = run_udp(address, templates, wire, seconds=seconds, outstanding=OUTSTANDING)
    cpu = topology.cpu - before
    _hold(name, summary)
    answered = summary.tally.right
    return [
        Figure(f"{name}: CPU per query", cpu / answered * 1e6, "us", "<= 20"),
        Figure(f"{name}: rate", summary.rate, "/s", ">= 50000"),
    ]


def _hold(name: str, summary: Summary) -> None:
    if summary.wrong:
        raise SystemExit(f"{name}: {summary.wrong} wrong replies")


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    models = [
        line.partition(":")[2].strip() for line in cpuinfo.splitlines() if "model name" in line
    ]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m load_tests.bench")
    parser.add_argument("--out", type=Path, help="also write the figures here, as JSON")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each load")
    arguments = parser.parse_args()
    facts = machine()
    figures = measure(arguments.seconds)
    for figure in figures:
        value = f"{figure.value:,.1f} {figure.unit}"
        print(f"{figure.name:36} {value:>16}  {figure.goal and f'(goal {figure.goal})'}")
    if arguments.out:
        document = {"machine": facts, "figures": [figure._asdict() for figure in figures]}
        arguments.out.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
