"""How far a long command is: a bar on a terminal, lines elsewhere, nothing with --quiet."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import click
import pytest

from resolver.cli import meter
from resolver.cli.meter import Meter

_PROGRAM = """
from resolver.cli.meter import Meter
with Meter("rows", 2000) as meter:
    for count in range(0, 2001, 500):
        meter.reach(count)
    meter.reach(2000, "rows of a table")
"""


def test_a_terminal_shows_a_bar() -> None:
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
    with subprocess.Popen([sys.executable, "-c", _PROGRAM], stderr=theirs, env=environment):
        os.close(theirs)
        said = b"".join(iter(lambda: _read(ours), b"")).decode()
    os.close(ours)
    assert "2,000 of 2,000 rows of a table" in said
    assert "━" in said


def _read(terminal: int) -> bytes:
    """What comes next; nothing once nobody writes to it any more."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


@pytest.mark.parametrize(
    ("total", "said"), [(2000, "500 of 2,000 rows\n1,000 of 2,000 rows\n"), (None, "500 rows\n")]
)
def test_elsewhere_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    total: int | None,
    said: str,
) -> None:
    with Meter("rows", total) as shown:
        shown.reach(1)
        monkeypatch.setattr(meter, "_LINE_EVERY", 0.0)
        shown.reach(500)
        shown.reach(1000)
    assert capsys.readouterr().err.startswith(said)


def test_quiet_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(meter, "_LINE_EVERY", 0.0)
    command = click.Command("tool", params=[click.Option(["--quiet"], is_flag=True)])
    with click.Context(command) as context, Meter("rows") as shown:
        context.params["quiet"] = True
        shown.reach(500)
    assert capsys.readouterr().err == ""
