from __future__ import annotations

import subprocess
import sys

import click
import pytest

from registry.errors import NotFound
from resolver.cli import main
from resolver.cli.errors import Negative, NobodyAnswered, Unsafe


def raising(error):
    @click.command()
    def command():
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Negative("not so"), 1),
        (NotFound("no such identifier"), 1),
        (Unsafe("topology.toml:3: port is taken"), 2),
        (NobodyAnswered("silence"), 3),
        (click.UsageError("what?"), 2),
        (RuntimeError("a bug"), 1),
        (click.Abort(), 130),
    ],
)
def test_each_error_has_its_status_and_a_line(error, status, monkeypatch, idnode):
    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: raising(error))
    found = idnode("anything")
    assert found.status == status
    assert found.out == ""
    assert str(error) in found.err
    assert "Traceback" not in found.err


def test_a_traceback_is_shown_when_asked_for(monkeypatch, idnode):
    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: raising(RuntimeError("a bug")))
    assert "Traceback" in idnode("--verbose", "anything").err


def test_version_and_help(idnode):
    assert idnode("--version").out.startswith("idnode, version ")
    found = idnode("--help")
    assert found.status == 0
    for name in (name for name, (_, _, summary) in main.COMMANDS.items() if summary):
        assert f"\n  {name} " in found.out


@pytest.mark.parametrize("arguments", [(), ("soup",), ("nodes", "--soup"), ("resolve",)])
def test_wrong_usage(arguments, idnode):
    assert idnode(*arguments).status == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell, idnode):
    found = idnode("completion", shell)
    assert found.status == 0
    assert "_IDNODE_COMPLETE" in found.out


@pytest.mark.parametrize("name", [name for name in main.COMMANDS if name != "worker"])
def test_each_command_has_help(name, idnode):
    found = idnode(name, "--help")
    assert found.status == 0
    assert "Usage: idnode" in found.out


def test_listing_nodes_imports_no_servers():
    code = (
        "import sys; from resolver.cli.main import run; run(['nodes', '--json', '--data', '/nil']);"
        "print({'aiohttp', 'sqlalchemy', 'dns', 'cryptography', 'rich'} & set(sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.strip() == "set()"


def test_a_closed_pipe_ends_it_quietly():
    code = (
        "import sys; from resolver.cli.main import run;"
        "sys.exit(run(['inspect', 'site-hash', '88.1/a' * 20_000]))"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    said = child.stderr.read()
    child.stderr.close()
    assert child.wait(60) == 1
    assert said == ""
