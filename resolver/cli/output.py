"""Data goes to standard output, talk to standard error; tables look right at 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from rich.table import Table


def print_json(document: Any) -> None:
    """One JSON document, indented, UTF-8 whatever the locale."""
    encoded = msgspec.json.format(msgspec.json.encode(document), indent=2)
    click.echo(encoded)


def note(text: str) -> None:
    """Talk: to standard error, and not at all with --quiet."""
    context = click.get_current_context(silent=True)
    if not (context and context.find_root().params.get("quiet")):
        click.echo(text, err=True)


def table(columns: Sequence[str], *, right: Iterable[str] = (), keep: Iterable[str] = ()) -> Table:
    """An empty table. `right` columns align right, `keep` columns are never broken over lines."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    for column in columns:
        made.add_column(
            column,
            justify="right" if column in right else "left",
            no_wrap=column in keep,
            overflow="fold",
        )
    return made


def show(*parts: Any) -> None:
    """Print tables and plain lines; colour only on a terminal that wants it."""
    from rich.console import Console

    context = click.get_current_context(silent=True)
    plain = bool(context and context.find_root().params.get("no_color"))
    console = Console(no_color=plain or None, highlight=False, markup=False, emoji=False)
    for part in parts:
        console.print(part)


def cell(text: object) -> Any:
    """A table cell with the text as it is: no markup, control characters escaped."""
    from rich.text import Text

    return Text("".join(c if c.isprintable() else _escaped(c) for c in str(text)))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
