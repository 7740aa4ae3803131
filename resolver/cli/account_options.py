"""What the sub-commands of `idnode account` share: where to ask, in whose name, secrets."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from resolver.cli.management import Management, management_options, segment
from resolver.cli.register import Door
from resolver.cli.running import read_running

_Function = TypeVar("_Function", bound=Callable[..., object])
ACCOUNTS: Final = "/v1/accounts"


def account_options(function: _Function) -> _Function:
    """The node and the token of a sub-command, by a prefix or by the name of the node."""
    help_text = "Whose accounts: the node that homes PREFIX, with the token for that."
    return click.option("--prefix", help=help_text)(management_options(function))


def desk(prefix: str | None, data: Path, **where: Any) -> Management:
    """The node to ask and the token to use. Raises click.UsageError where neither is known."""
    if prefix is None and where["node_name"]:
        prefix = read_running(data).named(where["node_name"]).prefix
    if prefix is None and not (where["via"] and where["token"]):
        raise click.UsageError("say whose accounts: --prefix or --node, or --via with --token")
    return Management.of(prefix or "", data, **where)


def stranger(prefix: str | None, data: Path, **where: Any) -> Management:
    """The node to ask for whoever has no token yet. Raises click.UsageError."""
    if where["via"]:
        return Management(Door(where["via"], "", where["via"]), where["timeout"])
    running = read_running(data)
    if where["node_name"]:
        node = running.named(where["node_name"])
    elif (found := running.homing(prefix or "")) is not None:
        node = found
    else:
        raise click.UsageError("say where: --prefix, --node or --via")
    return Management(Door(node.http, "", str(node)), where["timeout"])


def account_path(username: str) -> str:
    """Where an account is."""
    return f"{ACCOUNTS}/{segment(username)}"


def secret(what: str, *, twice: bool = False) -> str:
    """A secret: asked for on a terminal, else the next line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt(what, hide_input=True, confirmation_prompt=twice, err=True))
    line = sys.stdin.readline()
    if not line:
        raise click.UsageError(f"standard input is no terminal and has no line for: {what}")
    return line.rstrip("\r\n")


def new_password() -> str:
    """A password to be set."""
    return secret("New password", twice=True)
