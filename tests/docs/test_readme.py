"""The READMEs: every command in a `console` block runs, and prints what the page shows.

Commands about a running topology are put to one on other ports. `make` and `idnode up` are not run:
their verbs and options must exist.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess

import pytest

from tests.support.console_blocks import ROOT, Command, commands, words
from tests.support.processes import IDNODE, Topology, environment, idnode

PAGES = ("README.md", "README.zh.md")
COMMANDS = [command for page in PAGES for command in commands(page)]
NODES = 29
#: The ports of the pages: those of the default topology.
BASE = 2640


def moved(line: str, base: int) -> str:
    """The command with the ports of another block."""

    def port(found: re.Match[str]) -> str:
        number = int(found[0])
        return str(number - BASE + base) if BASE <= number < BASE + 10 * NODES else found[0]

    return re.sub(r"(?<![\d.-])\d{4}(?![\d.-])", port, line)


def run(command: Command, topology: Topology) -> str:
    """What the command prints on its standard output."""
    program, *arguments = shlex.split(moved(command.line, topology.base))
    done = subprocess.run(
        [IDNODE if program == "idnode" else program, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        env=environment() | {"IDNODE_DATA": os.fspath(topology.data)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_verb(command: Command) -> None:
    """A command that starts something for good: what it is called with exists."""
    program, *arguments = command.line.split()
    if program == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(arguments) <= set(targets)
    else:
        described = idnode(arguments[0], "--help").out
        options = [argument for argument in arguments if argument.startswith("--")]
        assert [option for option in options if option not in described] == []


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_a_command_does_what_the_page_shows(command, sichuan):
    program, verb, *_ = command.line.split()
    if program == "make" or (program, verb) in (("idnode", "up"), ("idnode", "serve")):
        check_verb(command)
        return
    if program != "idnode" and shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    printed = words(run(command, sichuan))
    assert words("\n".join(command.output)) - printed == set()


def test_the_pages_have_commands():
    assert {command.page for command in COMMANDS} == set(PAGES)
    assert sum(command.line.startswith("idnode") for command in COMMANDS) >= 10
