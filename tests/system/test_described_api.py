"""The management API held against its own description by schemathesis."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from resolver.data_directory import DataDirectory
from tests.support.processes import environment, up

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
#: What the description cannot say: that indexes of values differ, check digits, keys in PEM …
UNSAID = "positive_data_acceptance"
OPTIONS = (
    *("--phases", "examples,coverage,fuzzing"),
    *("--max-examples", "5"),
    *("--seed", "1"),
    *("--exclude-checks", UNSAID),
    *("--generation-database", "none"),
    "--continue-on-failure",
    "--no-color",
)


@pytest.mark.timeout(400)
def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    with up("minimal", tmp_path / "data", seed=10, nodes=5) as running:
        accounts = DataDirectory(tmp_path / "data").read_credentials().accounts
        token = next(account.token for account in accounts if account.prefix == "88.901")
        url = running.node("baijiu").http
        done = subprocess.run(
            [
                *(SCHEMATHESIS, "run", f"{url}/openapi.json"),
                *("--header", f"Authorization: Bearer {token}"),
                *OPTIONS,
            ],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stdout[-20_000:]
