"""`idnode template`: what the records of an industry consist of."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from resolver.cli.errors import DONE
from resolver.cli.management import Management, management_options, read_document, segment
from resolver.cli.output import cell, note, print_json, show, table

_PATH: Final = "/v1/templates"


class TemplateName(click.ParamType[tuple[str, str]]):
    """PREFIX/NAME."""

    name = "PREFIX/NAME"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        prefix, slash, name = str(value).partition("/")
        if not (prefix and slash and name):
            self.fail(f"{value!r} is not PREFIX/NAME, as in 88.901/BOTTLE", param)
        return prefix, name


@click.group()
def template() -> None:
    """Templates: what the records of an industry consist of."""


@template.command("list")
@click.option("--prefix", required=True, help="Whose templates.")
@click.option("--state", type=click.Choice(["draft", "published", "withdrawn"]))
@management_options
def list_(prefix: str, state: str | None, as_json: bool, **where: Any) -> int:
    """List templates."""
    items = [*Management.of(prefix, **where).listed(_PATH, prefix=prefix, state=state)]
    if as_json:
        print_json({"items": items})
        return DONE
    shown = table(("Template", "Version", "State", "Industry", "Items"), right=("Version", "Items"))
    for item in items:
        name = f"{item['prefix']}/{item['name']}"
        facts = (name, item["version"], item["state"], item["industry"], len(item["items"]))
        shown.add_row(*map(cell, facts))
    show(shown)
    return DONE


@template.command("show")
@click.argument("name", type=TemplateName())
@click.option("--version", type=click.IntRange(min=1), help="Default: the newest.")
@management_options
def show_(name: tuple[str, str], version: int | None, as_json: bool, **where: Any) -> int:
    """Show a template with its items."""
    found = Management.of(name[0], **where).ask("GET", _one(name), version=version)
    if as_json:
        print_json(found)
    else:
        _show(found)
    return DONE


@template.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@management_options
def draft(file: Path, as_json: bool, **where: Any) -> int:
    """Draft the template in FILE (TOML or JSON): a new one, or the next version of one."""
    document = read_document(file)
    name = str(document.get("prefix", "")), str(document.get("name", ""))
    if not all(name):
        raise click.UsageError(f"{file} does not say prefix and name")
    node = Management.of(name[0], **where)
    there = any(item["name"] == name[1] for item in node.listed(_PATH, prefix=name[0]))
    if there:
        definition = {
            member: value for member, value in document.items() if member not in ("prefix", "name")
        }
        found = node.ask("PUT", _one(name), definition)
    else:
        found = node.ask("POST", _PATH, document)
    return _said(found, as_json)


def _moving(step: str, help_text: str) -> click.Command:
    @click.command(step, help=help_text)
    @click.argument("name", type=TemplateName())
    @click.option("--version", type=click.IntRange(min=1), help="Default: the newest.")
    @management_options
    def move(name: tuple[str, str], version: int | None, as_json: bool, **where: Any) -> int:
        node = Management.of(name[0], **where)
        found = node.ask("POST", f"{_one(name)}/{step}", version=version)
        return _said(found, as_json)

    return move


template.add_command(_moving("publish", "Hold records that name the template against it."))
template.add_command(_moving("withdraw", "Take no new records of the template."))


@template.command()
@click.argument("name", type=TemplateName())
@management_options
def discard(name: tuple[str, str], as_json: bool, **where: Any) -> int:
    """Discard the draft of a template."""
    Management.of(name[0], **where).ask("DELETE", _one(name))
    if not as_json:
        click.echo(f"{'/'.join(name)}: the draft is gone")
    return DONE


def _one(name: tuple[str, str]) -> str:
    return f"{_PATH}/{'/'.join(map(segment, name))}"


def _said(found: dict[str, Any], as_json: bool) -> int:
    if as_json:
        print_json(found)
        return DONE
    name = f"{found['prefix']}/{found['name']}"
    click.echo(f"{name} version {found['version']} is {found['state']}")
    if found["state"] == "draft":
        note(f"Try: idnode template publish {name}")
    return DONE


def _show(found: dict[str, Any]) -> None:
    title = " ".join(filter(None, found["title"].values()))
    head = f"{found['prefix']}/{found['name']} version {found['version']}, {found['state']}"
    shown = table(("Index", "Name", "Kind", "Required", "Unique", "Length"), right=("Index",))
    for item in found["items"]:
        kind = item.get("kind", "string")
        length = f"{item.get('min_length', 0)}-{item.get('max_length', 4000)}"
        marks = ("yes" if item.get(mark) else "" for mark in ("required", "unique"))
        name = item["name"] + (" (disabled)" if item.get("disabled") else "")
        facts = (item["index"], name, kind, *marks, length if kind == "string" else "")
        shown.add_row(*map(cell, facts))
    show(f"{head}  {title}".rstrip(), f"industry {found['industry']}", shown)
