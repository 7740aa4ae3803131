"""`idnode account quota`: how much an account or an enterprise may use."""

from __future__ import annotations

from typing import Any, Final

import click
from click.core import ParameterSource

from resolver.cli.account_options import account_options, desk
from resolver.cli.errors import DONE
from resolver.cli.management import segment
from resolver.cli.output import cell, print_json, show, table

_UNLIMITED: Final = "none"


class _Limit(click.ParamType[int | None]):
    """A number, or `none`."""

    name = "N|none"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        text = str(value)
        if text == _UNLIMITED:
            return None
        if not (text.isascii() and text.isdigit()):
            self.fail(f"{text!r} is neither a number nor {_UNLIMITED}", param)
        return int(text)


@click.command()
@click.argument("subject", metavar="SUBJECT")
@click.option("--requests", type=_Limit(), help="Requests a day.")
@click.option("--registrations", type=_Limit(), help="Identifiers in all.")
@click.option("--prefixes", type=_Limit(), help="Prefixes, of an enterprise.")
@account_options
def quota(
    subject: str,
    as_json: bool,
    requests: int | None,
    registrations: int | None,
    prefixes: int | None,
    **where: Any,
) -> int:
    """Show or set the limits of SUBJECT, account:USERNAME or enterprise:NUMBER."""
    given = {"requests": requests, "registrations": registrations, "prefixes": prefixes}
    context, source = click.get_current_context(), ParameterSource.COMMANDLINE
    named = {name: n for name, n in given.items() if context.get_parameter_source(name) is source}
    node, path = desk(**where), f"/v1/quotas/{segment(subject)}"
    found = node.ask("GET", path)
    if named:
        found = node.ask("PUT", path, {**found["limits"], **named})
    if as_json:
        print_json(found)
        return DONE
    shown = table(("Limit on", "Used", "Of"), right=("Used", "Of"))
    for name, limit in found["limits"].items():
        used = found["used"].get(name, 0)
        shown.add_row(*map(cell, (name, used, _UNLIMITED if limit is None else limit)))
    show(shown)
    return DONE
