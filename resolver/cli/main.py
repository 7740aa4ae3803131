"""The `idnode` command: sub-commands, imported only when asked for, and exit statuses."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Final

import click

from registry.errors import Refusal
from resolver import __version__
from resolver.cli.errors import DONE, INTERRUPTED, NEGATIVE, CommandError

#: Sub-command -> the module under resolver.cli and the attribute that hold it, and its summary.
COMMANDS: Final = {
    "up": ("up", "up", "Start every node of a topology and run until stopped."),
    "serve": ("up", "serve", "Start one node of a topology."),
    "worker": ("up", "worker", ""),
    "nodes": ("nodes", "nodes", "Show the running topology's nodes and endpoints."),
    "resolve": ("resolve", "resolve", "Resolve an identifier over Handle, HTTP or DNS."),
    "register": ("register", "register", "Register an identifier."),
    "import": ("importing", "import_", "Register the rows of a file, or serial numbers."),
    "export": ("exporting", "export", "Write the identifiers of a prefix as lines of JSON."),
    "template": ("template", "template", "Templates: what records of an industry consist of."),
    "enterprise": ("enterprise", "enterprise", "Enterprises: enrol, review, change."),
    "prefix": ("prefix", "prefix", "Prefixes: apply, review, route, suspend, transfer."),
    "sample": ("sample", "sample", "List identifiers that exist, for load tools."),
    "inspect": ("inspect", "inspect", "Take a packet, a value or an identifier apart."),
    "store": ("store", "store", "Move, back up and restore the stores of nodes."),
    "account": ("account", "account", "Accounts: who may use a node, tokens, keys, limits."),
    "audit": ("audit", "audit", "Read and verify the audit logs of nodes."),
    "config": ("config", "config", "Check a topology file."),
    "completion": ("completion", "completion", "Print the completion script of a shell."),
}


#: Entry points of this group are sub-commands of packages above this one.
PLUG_INS: Final = "idnode.commands"


class LazyGroup(click.Group):
    """A group that imports a sub-command's module when it is run, not to list it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *sorted(entry_points(group=PLUG_INS).names)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            module, attribute, _ = COMMANDS[cmd_name]
            found = getattr(importlib.import_module(f"resolver.cli.{module}"), attribute)
        else:
            plug_ins = entry_points(group=PLUG_INS, name=cmd_name)
            if not plug_ins:
                return None
            found = next(iter(plug_ins)).load()
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        summaries = {name: summary for name, (_, _, summary) in COMMANDS.items() if summary}
        for name in self.list_commands(ctx):
            if name not in COMMANDS and (plug_in := self.get_command(ctx, name)) is not None:
                summaries[name] = plug_in.get_short_help_str(limit=70)
        with formatter.section("Commands"):
            formatter.write_dl([*summaries.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="idnode")
@click.option("-v", "--verbose", is_flag=True, help="Say more: tracebacks of unexpected errors.")
@click.option("-q", "--quiet", is_flag=True, help="Only data and errors.")
@click.option("--no-color", is_flag=True, help="No colour (NO_COLOR in the environment does too).")
def idnode(verbose: bool, quiet: bool, no_color: bool) -> None:
    """Identifier resolution nodes on one machine: Handle, HTTP/JSON and DNS, root to enterprise."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status (0 done, 1 negative, 2 usage, 3 nobody answered)."""
    try:
        returned = idnode.main(arguments, prog_name="idnode", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (CommandError, Refusal) as error:
        click.echo(f"idnode: {error}", err=True)
        return error.status if isinstance(error, CommandError) else NEGATIVE
    except click.Abort:
        click.echo("idnode: interrupted", err=True)
        return INTERRUPTED
    except Exception as error:
        return _unexpected(error, sys.argv[1:] if arguments is None else arguments)
    return returned if isinstance(returned, int) else DONE


def _unexpected(error: Exception, arguments: Sequence[str]) -> int:
    if "-v" in arguments or "--verbose" in arguments:
        traceback.print_exception(error)
    else:
        click.echo(f"idnode: {type(error).__name__}: {error} (-v shows where)", err=True)
    return NEGATIVE
