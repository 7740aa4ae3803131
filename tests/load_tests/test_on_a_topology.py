"""Load on a real topology: every operation through `idnode load`, and two Locust workers."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.processes import PATIENCE, Topology, environment, up

OPERATIONS = [
    "handle-udp",
    "handle-tcp",
    "dns-udp",
    "dns-tcp",
    "http-get",
    "http-redirect",
    "register",
    "register-bulk",
]
#: Changes a second, so few that a busy machine keeps up with them.
FEW = 8
LOCUSTFILE = Path(__file__).parents[2] / "load_tests" / "locustfile.py"


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    data = tmp_path_factory.mktemp("topology") / "data"
    with up("minimal", data, nodes=5, seed=50) as running:
        yield running


def profile(path: Path, *operations: str) -> Path:
    loads = [
        f'[[load]]\nname = "{name}"\noperation = "{name}"\n'
        + f'stages = [{{ for = "1s", rate = {rate} }}]\n'
        + ('prefix = "88.901.7"\n' if rate == FEW else "")
        for name in operations
        for rate in [FEW if name.startswith("register") else 30]
    ]
    head = 'name = "all"\ntitle = { en = "All", zh = "全部" }\nthresholds = ["errors = 0"]\n'
    path.write_text(head + 'patience = "20s"\n' + "".join(loads))
    return path


def test_every_operation_is_answered_rightly(topology: Topology, tmp_path: Path) -> None:
    report = tmp_path / "report"
    source = profile(tmp_path / "all.toml", *OPERATIONS)
    done = topology.idnode("load", source, "--report", report)
    assert done.status == 0, done.out + done.err
    summary = json.loads((report / "summary.json").read_bytes())
    assert all(one["right"] == one["sent"] > 5 for one in summary["loads"].values())
    assert {hop["role"] for hop in summary["hops"]} >= {"root", "national", "sector"}
    counted = summary["nodes"]["recursive"]
    assert sum(grown for series, grown in counted.items() if "protocol=handle-udp" in series) > 0


def test_names_that_do_not_exist_must_be_denied(topology: Topology, tmp_path: Path) -> None:
    source = profile(tmp_path / "absent.toml", "handle-udp", "dns-udp", "http-get", "handle-tcp")
    source.write_text(source.read_text().replace("[[load]]", "[[load]]\nabsent = 0.5"))
    done = topology.idnode("load", source, "--json")
    assert done.status == 0, done.out + done.err


def test_searching_for_the_rate_that_saturates(topology: Topology, tmp_path: Path) -> None:
    source = profile(tmp_path / "one.toml", "handle-udp")
    options = ("--from", 20, "--to", 40, "--duration", "200ms", "--json")
    done = topology.idnode("load", "search", source, *options)
    assert done.json["tried"][0]["asked"] == 20
    assert (done.status == 0) == (done.json["saturation"] is not None)


@pytest.mark.skipif(find_spec("locust") is None, reason="Locust is not installed (extra `load`)")
def test_two_locust_workers_without_a_browser(topology: Topology, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "locust",
            "-f",
            LOCUSTFILE,
            "--headless",
            "--skip-log",
            "--csv",
            tmp_path / "run",
            "--processes",
            "2",
            "--users",
            "20",
            "--spawn-rate",
            "20",
            "--run-time",
            "3s",
            "--idnode-data",
            topology.data,
            "--idnode-count",
            "50",
        ],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        env=environment(),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    with (tmp_path / "run_stats.csv").open() as file:
        lines = {line["Type"]: line for line in csv.DictReader(file) if line["Type"]}
    assert set(lines) == set(OPERATIONS)
    assert all(int(line["Request Count"]) > 0 for line in lines.values())
    assert all(int(line["Failure Count"]) == 0 for line in lines.values())
