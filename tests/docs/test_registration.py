"""docs/registration.md: its examples run as they stand, and its tables are those of the code."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from registry import outcomes
from registry.audit.log import Fault
from tests.support.processes import up

PAGE = (Path(__file__).parents[2] / "docs" / "registration.md").read_text()
EXAMPLES = re.findall(r"```sh\n(curl.*?)```\n(?:```json\n(.*?)```)?", PAGE, re.DOTALL)


def test_the_examples_run_in_their_order(tmp_path: Path) -> None:
    with up("minimal", tmp_path / "data", nodes=5) as running:
        accounts = json.loads((running.data / "credentials.json").read_bytes())["accounts"]
        token = next(entry["token"] for entry in accounts if entry["prefix"] == "88.901.7")
        environment = {"NODE": running.node("baijiu").http, "TOKEN": token, "PATH": "/usr/bin:/bin"}
        replies = []
        for commands, shown in EXAMPLES:
            ran = subprocess.run(
                ["bash", "-ec", commands], env=environment, capture_output=True, check=True
            )
            replies.append(ran.stdout.decode())
            if shown:
                assert json.loads(replies[-1]) == json.loads(shown)
    assert len(replies) == 6
    assert '"version":3,"state":"active"' in replies[3]
    assert "https://example.test/1" in replies[3]
    assert '"code":"precondition-failed"' in replies[4]


def test_every_finding_is_in_the_table() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == {
        fault.value for fault in Fault
    }


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ("never registered, reserved, deleted", outcomes.NOT_FOUND),
        ("on hold", outcomes.ON_HOLD),
        ("revoked", outcomes.GONE),
    ],
)
def test_what_resolution_says(state: str, outcome: outcomes.Outcome) -> None:
    line = f"| {state} | {outcome.handle} | NXDOMAIN | {outcome.http} `{outcome.slug}` |"
    assert line in PAGE
