"""`idnode prefix`: enterprises apply for prefixes; their review, their route, their end."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click
import msgspec

from registry.schemes.handle import parent
from resolver.cli import national_audits
from resolver.cli.enterprise import milestones, number_of, sector_option
from resolver.cli.errors import DONE
from resolver.cli.management import Management, management_options, segment
from resolver.cli.output import cell, note, print_json, show, table

_PATH: Final = "/v1/prefixes"
#: Moves that need no more than the prefix, and those that take a reason.
_PLAIN: Final = {
    "accept": "End the review of PREFIX well; the national node is told.",
    "poll": "Take PREFIX on as far as it goes now.",
    "resume": "Resolve the suspended PREFIX again.",
    "restore": "Bring the revoked PREFIX back.",
    "take": "Take PREFIX, which is offered to the caller's enterprise.",
    "decline": "End the offer of PREFIX.",
}
_REASONED: Final = {
    "reject": "End the review of PREFIX with a refusal.",
    "suspend": "End the resolution under PREFIX for a while.",
    "revoke": "End PREFIX; it can be restored within 30 days.",
}


@click.group()
def prefix() -> None:
    """Prefixes: apply, review, route, suspend, transfer."""


@prefix.command("list")
@sector_option
@click.option("--state", help="Only those in this state.")
@click.option("--enterprise", help="Only those of one: its number or certificate code.")
@click.option("--offered", is_flag=True, help="Those offered to the enterprise.")
@management_options
def list_(
    sector: str,
    state: str | None,
    enterprise: str | None,
    offered: bool,
    as_json: bool,
    **where: Any,
) -> int:
    """List the prefixes of enterprises."""
    node = Management.of(sector, **where)
    number = number_of(node, enterprise) if enterprise else None
    asked = {"state": state, "enterprise": number, "offered": "true" if offered else None}
    items = [*node.listed(_PATH, **asked)]
    if as_json:
        print_json({"items": items})
        return DONE
    shown = table(("Prefix", "State", "Enterprise", "Hosting", "Since"), keep=("Since",))
    for item in items:
        facts = (item["prefix"], item["state"], item["enterprise"], item["hosting"], item["since"])
        shown.add_row(*map(cell, facts))
    show(shown)
    return DONE


@prefix.command("show")
@click.argument("prefix")
@management_options
def show_(prefix: str, as_json: bool, **where: Any) -> int:
    """Show where PREFIX stands, and who did what."""
    found = Management.of(_sector(prefix), **where).ask("GET", _one(prefix))
    if as_json:
        print_json(found)
        return DONE
    head = f"{found['prefix']} of {found['enterprise']} is {found['state']} ({found['hosting']})"
    show(head, *filter(None, [found.get("problem")]), milestones(found))
    return DONE


@prefix.command()
@click.argument("prefix")
@click.option("--self-hosted", is_flag=True, help="It is served by a node of the enterprise's.")
@click.option("--enterprise", help="For whom, as the operator: number or certificate code.")
@management_options
def apply(
    prefix: str, self_hosted: bool, enterprise: str | None, as_json: bool, **where: Any
) -> int:
    """Apply for PREFIX; with that of a sector node, for the next free one there."""
    sector = _sector(prefix)
    node = Management.of(sector, **where)
    document = {"hosting": "self-hosted" if self_hosted else "hosted"}
    if sector != prefix:
        document["prefix"] = prefix
    if enterprise:
        document["enterprise"] = number_of(node, enterprise)
    return _said(node.ask("POST", _PATH, document), as_json)


def _moving(move: str, text: str, *, reasoned: bool) -> click.Command:
    @click.command(move, help=text)
    @click.argument("prefix")
    @management_options
    def moved(prefix: str, as_json: bool, reason: str = "", **where: Any) -> int:
        document = {"reason": reason} if reasoned else None
        node = Management.of(_sector(prefix), **where)
        return _said(node.ask("POST", f"{_one(prefix)}/{move}", document), as_json)

    if reasoned:
        moved.params.append(click.Option(["--reason"], required=True))
    return moved


for _command in national_audits.COMMANDS:
    prefix.add_command(_command)
for _move, _text in _PLAIN.items():
    prefix.add_command(_moving(_move, _text, reasoned=False))
for _move, _text in _REASONED.items():
    prefix.add_command(_moving(_move, _text, reasoned=True))


@prefix.command()
@click.argument("prefix")
@click.option(
    "--site",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file with the site as `/api/site` of the node gives it.",
)
@click.option("--url", help="The HTTP address of a node of the topology to take it from.")
@management_options
def route(prefix: str, site: Path | None, url: str | None, as_json: bool, **where: Any) -> int:
    """Say which node of the enterprise's own serves PREFIX."""
    if (site is None) == (url is None):
        raise click.UsageError("either --site or --url is needed")
    node = Management.of(_sector(prefix), **where)
    document = {"url": url} if site is None else {"site": _read(site)}
    return _said(node.ask("POST", f"{_one(prefix)}/route", document), as_json)


@prefix.command()
@click.argument("prefix")
@click.option("--to", "receiver", required=True, help="Enterprise: number or certificate code.")
@click.option("--reason", default="")
@management_options
def offer(prefix: str, receiver: str, reason: str, as_json: bool, **where: Any) -> int:
    """Offer PREFIX to another enterprise, which has to take it."""
    node = Management.of(_sector(prefix), **where)
    document = {"receiver": number_of(node, receiver), "reason": reason}
    return _said(node.ask("POST", f"{_one(prefix)}/offer", document), as_json)


@prefix.command()
@click.argument("prefix")
@management_options
def administrator(prefix: str, as_json: bool, **where: Any) -> int:
    """Make a new secret for the Handle administrator of PREFIX; it is shown this once."""
    node = Management.of(_sector(prefix), **where)
    found = node.ask("POST", f"{_one(prefix)}/administrator")
    if as_json:
        print_json(found)
    else:
        click.echo(f"{found['index']}:{found['handle']} {found['secret']}")
    return DONE


def _sector(prefix: str) -> str:
    """The prefix of the sector node: its own, or the one above an enterprise's."""
    return (parent(prefix) or prefix) if prefix.count(".") > 1 else prefix


def _one(prefix: str) -> str:
    return f"{_PATH}/{segment(prefix)}"


def _read(file: Path) -> Any:
    try:
        found = msgspec.json.decode(file.read_bytes())
    except msgspec.DecodeError as error:
        raise click.UsageError(f"{file} cannot be read: {error}") from None
    return found.get("site", found) if isinstance(found, dict) else found


def _said(found: dict[str, Any], as_json: bool) -> int:
    if as_json:
        print_json(found)
        return DONE
    click.echo(f"{found['prefix']} of {found['enterprise']} is {found['state']}")
    if problem := found.get("problem"):
        note(problem)
    if found["state"] == "applied":
        note(f"Try, as the operator: idnode prefix accept {found['prefix']}")
    return DONE
