"""How accounts get in: logging in and out, tokens, keys."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Final

import click
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from registry.accounts.challenges import signed_text
from registry.accounts.keys import sign
from resolver.cli.account_options import account_options, account_path, desk, secret, stranger
from resolver.cli.errors import DONE
from resolver.cli.management import Management, segment
from resolver.cli.output import cell, note, print_json, show, table

_KEY_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.argument("username", required=False)
@click.option("--key", "key_file", type=_KEY_FILE, help="Log in with this private key (PEM).")
@click.option("--key-id", metavar="ID", help="The id of the key at the node.")
@account_options
def login(
    username: str | None, key_file: Path | None, key_id: str | None, as_json: bool, **where: Any
) -> int:
    """Log in, and print a token that is valid for 24 hours."""
    node = stranger(**where)
    if key_file is not None and key_id is not None and username is None:
        answer = _signed(node, key_file, key_id)
    elif username is not None and key_file is None:
        answer = {"username": username, "password": secret("Password")}
    else:
        raise click.UsageError("give USERNAME, or --key with --key-id")
    return _shown_token(node.ask("POST", "/v1/tokens", answer), as_json)


def _signed(node: Management, key_file: Path, key_id: str) -> dict[str, str]:
    """The answer to a challenge."""
    challenge = node.ask("POST", "/v1/challenges", {"key": key_id})
    text = signed_text(challenge["node"], key_id, challenge["nonce"])
    try:
        key = load_pem_private_key(key_file.read_bytes(), None)
        signature = sign(key, text)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise click.UsageError(f"{key_file} cannot be used: {error}") from None
    encoded = base64.b64encode(signature).decode()
    return {"key": key_id, "nonce": challenge["nonce"], "signature": encoded}


@click.command()
@account_options
def logout(as_json: bool, **where: Any) -> int:
    """End the token that the command is run with."""
    desk(**where).ask("DELETE", "/v1/tokens/current")
    if not as_json:
        click.echo("the token has ended")
    return DONE


@click.command()
@account_options
def me(as_json: bool, **where: Any) -> int:
    """Show whose the token is, and what it acts for."""
    found = desk(**where).ask("GET", "/v1/me")
    if as_json:
        print_json(found)
        return DONE
    acts_for = ", ".join(filter(None, [found["enterprise"], *found["prefixes"]]))
    click.echo(f"{found['username']}: {found['role']} of {acts_for}")
    return DONE


@click.command()
@click.argument("username")
@account_options
def tokens(username: str, as_json: bool, **where: Any) -> int:
    """List the tokens of an account."""
    found = desk(**where).ask("GET", f"{account_path(username)}/tokens")
    return _listed(found, ("id", "label", "created", "expires", "ending"), as_json)


@click.command()
@click.argument("username")
@click.option("--label", default="", help="What it is for.")
@click.option("--days", type=click.IntRange(1, 3650), help="Default: it does not expire.")
@account_options
def token(username: str, label: str, days: int | None, as_json: bool, **where: Any) -> int:
    """Issue a token for a program."""
    document = {"label": label} if days is None else {"label": label, "days": days}
    issued = desk(**where).ask("POST", f"{account_path(username)}/tokens", document)
    return _shown_token(issued, as_json)


@click.command()
@click.argument("username")
@click.argument("token_id", metavar="ID")
@account_options
def revoke(username: str, token_id: str, as_json: bool, **where: Any) -> int:
    """End a token of an account."""
    desk(**where).ask("DELETE", f"{account_path(username)}/tokens/{segment(token_id)}")
    if not as_json:
        click.echo(f"token {token_id} has ended")
    return DONE


@click.command()
@click.argument("username")
@account_options
def keys(username: str, as_json: bool, **where: Any) -> int:
    """List the public keys of an account."""
    found = desk(**where).ask("GET", f"{account_path(username)}/keys")
    return _listed(found, ("id", "label", "kind", "created"), as_json)


@click.command()
@click.argument("username")
@click.argument("file", type=_KEY_FILE)
@click.option("--label", default="", help="What it is for.")
@account_options
def key(username: str, file: Path, label: str, as_json: bool, **where: Any) -> int:
    """Let a program log in by the key in FILE (PEM); only its public half is sent."""
    document = {"public_key": _public(file), "label": label}
    added = desk(**where).ask("POST", f"{account_path(username)}/keys", document)
    if as_json:
        print_json(added)
        return DONE
    click.echo(f"{username} may log in by key {added['id']} ({added['kind']})")
    note(f"Try: idnode account login --key FILE --key-id {added['id']}")
    return DONE


@click.command("remove-key")
@click.argument("username")
@click.argument("key_id", metavar="ID")
@account_options
def remove_key(username: str, key_id: str, as_json: bool, **where: Any) -> int:
    """Let nobody log in by a key any more."""
    desk(**where).ask("DELETE", f"{account_path(username)}/keys/{segment(key_id)}")
    if not as_json:
        click.echo(f"key {key_id} opens nothing any more")
    return DONE


COMMANDS: Final = (
    login,
    logout,
    me,
    tokens,
    token,
    revoke,
    keys,
    key,
    remove_key,
)


def _public(file: Path) -> str:
    """The public key in a file that holds it, or the private key that belongs to it."""
    octets = file.read_bytes()
    try:
        if b"PRIVATE" in octets:
            public = load_pem_private_key(octets, None).public_key()
        else:
            public = load_pem_public_key(octets)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise click.UsageError(f"{file} is no key in PEM: {error}") from None
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _shown_token(issued: dict[str, Any], as_json: bool) -> int:
    if as_json:
        print_json(issued)
        return DONE
    click.echo(issued["token"])
    until = f"until {issued['expires']}" if "expires" in issued else "until it is revoked"
    note(f"It is shown this once, acts for {issued['account']} and is valid {until}.")
    return DONE


def _listed(found: dict[str, Any], members: tuple[str, ...], as_json: bool) -> int:
    if as_json:
        print_json(found)
        return DONE
    shown = table([member.capitalize() for member in members])
    for item in found["items"]:
        shown.add_row(*(cell(item.get(member, "")) for member in members))
    show(shown)
    return DONE
