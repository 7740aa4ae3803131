"""`idnode prefix audits`, `pass` and `refuse`: what the operator of a national node decides."""

from __future__ import annotations

from typing import Any, Final

import click

from registry.schemes.handle import parent
from resolver.cli.errors import DONE
from resolver.cli.management import Management, management_options, segment
from resolver.cli.output import cell, print_json, show, table

_PATH: Final = "/ntn/v1/prefixes"


@click.command()
@click.argument("national")
@click.option("--state", type=click.Choice(["pending", "passed", "refused"]))
@management_options
def audits(national: str, state: str | None, as_json: bool, **where: Any) -> int:
    """List the prefixes that sector nodes created at the node of NATIONAL, such as 88."""
    items = [*Management.of(national, **where).listed(_PATH, state=state)]
    if as_json:
        print_json({"items": items})
        return DONE
    shown = table(("Prefix", "Audit", "Enterprise", "Since", "Message"), keep=("Since",))
    for item in items:
        facts = (item["prefix"], item["state"], item["enterprise"], item["since"])
        shown.add_row(*map(cell, (*facts, item.get("message", ""))))
    show(shown)
    return DONE


def _deciding(decision: str, text: str) -> click.Command:
    @click.command(decision, help=text)
    @click.argument("prefix")
    @click.option("--reason", required=True)
    @management_options
    def decide(prefix: str, reason: str, as_json: bool, **where: Any) -> int:
        sector = parent(prefix) or prefix
        node = Management.of(parent(sector) or sector, **where)
        found = node.ask("POST", f"{_PATH}/{segment(prefix)}/{decision}", {"reason": reason})
        if as_json:
            print_json(found)
        else:
            click.echo(f"the audit of {found['prefix']} is {found['state']}")
        return DONE

    return decide


COMMANDS: Final = (
    audits,
    _deciding("pass", "Let PREFIX pass the audit of the national node."),
    _deciding("refuse", "Refuse PREFIX at the national node."),
)
