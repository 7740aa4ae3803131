"""docs/enterprises.md: its commands run as they stand, and its tables are those of the code."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from registry.prefixes.life import PrefixState
from registry.provisioning.commands import Code, Command
from tests.support.console_blocks import ROOT
from tests.support.processes import up

PAGE = (ROOT / "docs" / "enterprises.md").read_text("utf-8")
EXAMPLES = re.findall(r"```sh\n(.*?)```\n```text\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_the_examples_print_what_is_shown(tmp_path: Path) -> None:
    with up("minimal", tmp_path / "data", nodes=5) as running:
        accounts = json.loads((running.data / "credentials.json").read_bytes())["accounts"]
        token = next(entry["token"] for entry in accounts if entry["prefix"] == "88.901")
        variables = {
            "NODE": running.node("baijiu").http,
            "OPERATOR": token,
            "PATH": "/usr/bin:/bin",
        }
        for commands, shown in EXAMPLES:
            ran = subprocess.run(
                ["bash", "-ec", commands],
                env=variables,
                cwd=tmp_path,
                capture_output=True,
                check=True,
            )
            assert ran.stdout.decode() == shown
    assert EXAMPLES


def test_every_state_is_in_the_drawing() -> None:
    (drawing,) = re.findall(r"## The life of a prefix\n\n```\n(.*?)```", PAGE, re.DOTALL)
    assert {state.value for state in PrefixState} - {"revoked"} <= set(re.findall(r"\w+", drawing))


def test_every_command_and_code_is_in_the_table() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \(.*?\) \| (.*) \|$", PAGE, re.MULTILINE)
    named = {each.__struct_config__.tag for each in Command.__args__}
    assert {name for name, _ in rows} == named
    replies = " ".join(reply for _, reply in rows)
    codes = {int(code) for code in re.findall(r"\b[12]\d{3}\b", replies)}
    assert codes | {Code.PARAMETER} == {*Code}
