"""`idnode audit log`: who did what."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from resolver.cli.errors import DONE
from resolver.cli.management import Management, management_options
from resolver.cli.output import cell, print_json, show, table


@click.command()
@click.argument("prefix")
@click.option("--about", default="", help="A prefix, an enterprise's number, or a username.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@management_options
def log(prefix: str, about: str, limit: int, as_json: bool, **where: Any) -> int:
    """Show who did what on the node of PREFIX, the newest first.

    An enterprise sees what is about itself.
    """
    listed = Management.of(prefix, **where).listed("/v1/audit", about=about, limit=limit)
    items = [*islice(listed, limit)]
    if as_json:
        print_json({"items": items})
        return DONE
    shown = table(("Entry", "Time", "Event", "By", "Subject"), right=("Entry",), keep=("Time",))
    for item in items:
        facts = (item["sequence"], item["time"], item["event"], item["by"], item["subject"])
        shown.add_row(*map(cell, facts))
    show(shown)
    return DONE
