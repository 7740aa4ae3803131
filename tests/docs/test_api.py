"""docs/api.md: its examples run as they stand."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from registry.http.search import SearchQuery
from tests.support.indexed import wait_for_the_index
from tests.support.processes import up

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
EXAMPLES = re.findall(r"```sh\n(curl.*?)```\n(?:```json\n(.*?)```)?", PAGE, re.DOTALL)


def test_the_examples_run(tmp_path: Path) -> None:
    with up("minimal", tmp_path / "data", seed=30, nodes=5) as running:
        accounts = json.loads((running.data / "credentials.json").read_bytes())["accounts"]
        token = next(entry["token"] for entry in accounts if entry["prefix"] == "88.901.7")
        node = running.node("baijiu").http
        wait_for_the_index(node, token)
        replies = []
        for commands, shown in EXAMPLES:
            ran = subprocess.run(
                ["bash", "-ec", commands],
                env={"NODE": node, "TOKEN": token, "PATH": "/usr/bin:/bin"},
                capture_output=True,
                check=True,
            )
            replies.append(ran.stdout.decode())
            if shown:
                assert json.loads(replies[-1]) == json.loads(shown)
    assert len(replies) == 2
    assert '"next_cursor"' in replies[1]
    assert '"identifier":"88.901.7/BOT-' in replies[1]
    assert '"complete":true' in replies[1]


def test_every_parameter_of_search_is_in_the_table() -> None:
    rows = re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == set(SearchQuery.__struct_fields__) - {"limit", "cursor"}
