"""`idnode account`: who may use a node, and as what."""

from __future__ import annotations

from typing import Any, Final

import click

from registry.authorisation import Role
from resolver.cli import account_access, account_quota
from resolver.cli.account_options import (
    ACCOUNTS,
    account_options,
    account_path,
    desk,
    new_password,
    secret,
)
from resolver.cli.errors import DONE
from resolver.cli.output import cell, note, print_json, show, table

_COLUMNS: Final = ("Username", "Role", "Acts for", "Since", "Disabled")


@click.group()
def account() -> None:
    """Accounts: who may use a node, with their tokens, keys and limits."""


@account.command("list")
@click.option("--enterprise", metavar="NUMBER", help="Those of one enterprise.")
@account_options
def list_(enterprise: str | None, as_json: bool, **where: Any) -> int:
    """List the accounts that the token may see."""
    items = [*desk(**where).listed(ACCOUNTS, enterprise=enterprise)]
    if as_json:
        print_json({"items": items})
        return DONE
    shown = table(_COLUMNS, keep=("Username",))
    for item in items:
        acts_for = item.get("prefix") or item.get("enterprise", "")
        facts = (item["username"], item["role"], acts_for, item["created"])
        shown.add_row(*map(cell, (*facts, item.get("disabled", ""))))
    show(shown)
    return DONE


@account.command("show")
@click.argument("username")
@account_options
def show_(username: str, as_json: bool, **where: Any) -> int:
    """Show an account."""
    return _said(desk(**where).ask("GET", account_path(username)), as_json)


@account.command()
@click.argument("username")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--enterprise", metavar="NUMBER", default="", help="The enterprise it acts for.")
@click.option("--acts-for", metavar="PREFIX", default="", help="The prefix it acts for instead.")
@click.option("--password", "asks", is_flag=True, help="Ask for a password; default: make one.")
@account_options
def add(
    username: str,
    role: str,
    enterprise: str,
    acts_for: str,
    asks: bool,
    as_json: bool,
    **where: Any,
) -> int:
    """Make an account; by default it acts for what the token does."""
    document = {"username": username, "role": role, "enterprise": enterprise, "prefix": acts_for}
    if asks:
        document["password"] = new_password()
    made = desk(**where).ask("POST", ACCOUNTS, document)
    if as_json:
        print_json(made)
        return DONE
    click.echo(f"{username} may log in as {role}")
    if "password" in made:
        click.echo(f"password: {made['password']}")
        note("It is shown this once.")
    return DONE


def _moving(step: str, help_text: str) -> click.Command:
    @click.command(step, help=help_text)
    @click.argument("username")
    @account_options
    def move(username: str, as_json: bool, **where: Any) -> int:
        return _said(desk(**where).ask("POST", f"{account_path(username)}/{step}"), as_json)

    return move


account.add_command(_moving("disable", "Let nobody in by an account; its tokens end."))
account.add_command(_moving("enable", "Let people in by an account again."))


@account.command()
@click.argument("username")
@account_options
def delete(username: str, as_json: bool, **where: Any) -> int:
    """End an account with its tokens and keys."""
    desk(**where).ask("DELETE", account_path(username))
    if not as_json:
        click.echo(f"{username} is deleted")
    return DONE


@account.command()
@click.argument("username")
@account_options
def password(username: str, as_json: bool, **where: Any) -> int:
    """Give an account another password; its tokens end.

    One's own takes the old one too. Without a terminal, standard input has a line for the new one
    and, if it is one's own, a line for the old one.
    """
    node = desk(**where)
    document = {"password": new_password()}
    if node.ask("GET", "/v1/me")["username"] == username:
        document["old"] = secret("Old password")
    node.ask("PUT", f"{account_path(username)}/password", document)
    if not as_json:
        click.echo(f"{username} has another password; its tokens have ended")
    return DONE


for _command in (*account_access.COMMANDS, account_quota.quota):
    account.add_command(_command)


def _said(found: dict[str, Any], as_json: bool) -> int:
    if as_json:
        print_json(found)
        return DONE
    acts_for = found.get("prefix") or found.get("enterprise", "")
    disabled = f", disabled since {found['disabled']}" if "disabled" in found else ""
    click.echo(f"{found['username']}: {found['role']} of {acts_for}{disabled}")
    return DONE
