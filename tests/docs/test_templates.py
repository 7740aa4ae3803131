"""docs/templates.md: its examples run as they stand, and its words are those of the code."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.templates.conformance import _RULES
from registry.templates.template import Kind
from tests.support.console_blocks import ROOT, commands, words
from tests.support.processes import Topology, idnode, up

PAGE = "docs/templates.md"
TEXT = (ROOT / PAGE).read_text()


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with up("minimal", tmp_path_factory.mktemp("templates") / "data", nodes=5) as running:
        yield running
        assert running.process.stop().status == 0


def test_the_commands_print_what_the_page_shows(topology: Topology) -> None:
    for command in commands(PAGE):
        ran = idnode(*shlex.split(command.line)[1:], "--data", str(topology.data))
        assert words("\n".join(command.output)) <= words(ran.out + ran.err), str(command)
    example, shown_json = re.findall(r"```sh\n(curl.*?)```\n```json\n(.*?)\n```", TEXT, re.DOTALL)[
        0
    ]
    accounts = json.loads((topology.data / "credentials.json").read_bytes())["accounts"]
    token = next(entry["token"] for entry in accounts if entry["prefix"] == "88.901")
    environment = {"NODE": topology.node("baijiu").http, "TOKEN": token, "PATH": "/usr/bin:/bin"}
    ran_curl = subprocess.run(["bash", "-ec", example], env=environment, capture_output=True)
    assert ran_curl.stdout.decode().startswith(shown_json)


def test_every_rule_and_kind_is_on_the_page() -> None:
    rules = {rule for rule, _, _ in _RULES.values()}
    assert {word for word in {*rules, *map(str, Kind)} if f"`{word}`" not in TEXT} == set()


def test_the_page_says_where_the_example_is() -> None:
    assert Path(ROOT / "configs/templates/bottle.toml").is_file()
