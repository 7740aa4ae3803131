"""`idnode enterprise`: enterprises enrol with a sector node, and are reviewed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from resolver.cli.account_options import new_password
from resolver.cli.errors import DONE
from resolver.cli.management import Management, management_options, read_document, segment
from resolver.cli.output import cell, note, print_json, show, table
from resolver.cli.running import read_running
from resolver.data_directory import Account, Credentials, DataDirectory

_Function = TypeVar("_Function", bound=Callable[..., object])
_PATH: Final = "/v1/enterprises"
#: Octets of randomness in a password that is made.
_PASSWORD_SIZE: Final = 18


def sector_option(function: _Function) -> _Function:
    """`--sector PREFIX`: the sector node, by its prefix."""
    return click.option("--sector", metavar="PREFIX", required=True, help="Of the sector node.")(
        function
    )


def _file_argument(function: _Function) -> _Function:
    kind = click.Path(path_type=Path, exists=True, dir_okay=False)
    return click.argument("file", type=kind)(function)


@click.group()
def enterprise() -> None:
    """Enterprises: enrol, review, change."""


@enterprise.command("list")
@sector_option
@click.option("--state", type=click.Choice(["applied", "accepted", "rejected"]))
@management_options
def list_(sector: str, state: str | None, as_json: bool, **where: Any) -> int:
    """List the enterprises of a sector node."""
    items = [*Management.of(sector, **where).listed(_PATH, state=state)]
    if as_json:
        print_json({"items": items})
        return DONE
    shown = table(("Number", "State", "Certificate", "Name"), keep=("Certificate",))
    for item in items:
        form = item["enterprise"]
        facts = (item["number"], item["state"], form["certificate_code"], form["name"])
        shown.add_row(*map(cell, facts))
    show(shown)
    return DONE


@enterprise.command("show")
@click.argument("enterprise")
@sector_option
@management_options
def show_(enterprise: str, sector: str, as_json: bool, **where: Any) -> int:
    """Show ENTERPRISE (its number or certificate code), and who did what."""
    node = Management.of(sector, **where)
    found = node.ask("GET", _one(node, enterprise))
    if as_json:
        print_json(found)
        return DONE
    form = found["enterprise"]
    head = f"{found['number']} {form['name']}  {form.get('name_en', '')}".rstrip()
    place = form["address"]["county"]
    facts = f"{found['state']}, {form['certificate_code']}, industry {form['industry']}, {place}"
    show(head, facts, milestones(found))
    return DONE


@enterprise.command()
@_file_argument
@sector_option
@click.option("--username", help="The name of the first account of the enterprise.")
@click.option("--password", "asks", is_flag=True, help="Ask for its password; default: make one.")
@management_options
def enrol(
    file: Path,
    sector: str,
    username: str | None,
    asks: bool,
    as_json: bool,
    data: Path,
    **where: Any,
) -> int:
    """Enrol the enterprise in FILE (TOML or JSON).

    With --username as an enterprise does it by itself: its account is logged in, and kept in
    credentials.json, where --as finds it. Without, as the operator does it for others.
    """
    node, form = Management.of(sector, data=data, **where), read_document(file)
    if username is None:
        return _said(node.ask("POST", _PATH, form), as_json)
    password = new_password() if asks else secrets.token_urlsafe(_PASSWORD_SIZE)
    account = {"username": username, "password": password}
    found = node.of_nobody().ask("POST", _PATH, {**form, "account": account})
    token = node.of_nobody().ask("POST", "/v1/tokens", account)["token"]
    named = None if where["via"] else read_running(data).homing(sector)
    name = where["via"] if named is None else named.name
    kept = Account(name, "", "enterprise-operator", username, "" if asks else password, token)
    DataDirectory(data).add_credentials(Credentials([kept]))
    return _said(found, as_json)


@enterprise.command()
@click.argument("enterprise")
@_file_argument
@sector_option
@management_options
def change(enterprise: str, file: Path, sector: str, as_json: bool, **where: Any) -> int:
    """Say something else of ENTERPRISE: what is in FILE. If it was rejected, it applies anew."""
    node = Management.of(sector, **where)
    return _said(node.ask("PUT", _one(node, enterprise), read_document(file)), as_json)


@enterprise.command()
@click.argument("enterprise")
@sector_option
@management_options
def accept(enterprise: str, sector: str, as_json: bool, **where: Any) -> int:
    """End the review of ENTERPRISE well."""
    node = Management.of(sector, **where)
    return _said(node.ask("POST", f"{_one(node, enterprise)}/accept"), as_json)


@enterprise.command()
@click.argument("enterprise")
@click.option("--reason", required=True)
@sector_option
@management_options
def reject(enterprise: str, reason: str, sector: str, as_json: bool, **where: Any) -> int:
    """End the review of ENTERPRISE with a refusal."""
    node = Management.of(sector, **where)
    path = f"{_one(node, enterprise)}/reject"
    return _said(node.ask("POST", path, {"reason": reason}), as_json)


def number_of(node: Management, enterprise: str) -> str:
    """The number of an enterprise that is named by it or by its certificate code."""
    items = [*node.listed(_PATH, certificate=enterprise)]
    found = [item["number"] for item in items if item["state"] != "rejected" or len(items) == 1]
    return found[0] if found else enterprise


def milestones(found: dict[str, Any]) -> Any:
    """A table of who did what to an enterprise or a prefix."""
    shown = table(("Entry", "Time", "What", "State", "By", "Reason"), keep=("Time",))
    for step in found.get("milestones", ()):
        facts = (step["entry"], step["time"], step["operation"], step["state"], step["by"])
        shown.add_row(*map(cell, (*facts, step.get("reason", ""))))
    return shown


def _one(node: Management, enterprise: str) -> str:
    return f"{_PATH}/{segment(number_of(node, enterprise))}"


def _said(found: dict[str, Any], as_json: bool) -> int:
    if as_json:
        print_json(found)
        return DONE
    click.echo(f"{found['number']} {found['enterprise']['name']} is {found['state']}")
    if username := found.get("account"):
        note(f"Try: idnode prefix apply PREFIX --as {username}")
    return DONE
