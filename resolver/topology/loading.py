"""Reading a topology: find the file, read it, return it checked or say all that is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from msgspec import inspect

from resolver.topology import checks, shape
from resolver.topology.draft import Draft
from resolver.topology.lines import key_lines, line_of
from resolver.topology.model import NodeSpec, Topology
from resolver.topology.problems import Finding, Problem, TopologyError, did_you_mean

DEFAULT: Final = "sichuan"


def load(source: str | Path | None = None) -> Topology:
    """The topology in a file, or a built-in one by its bare name (`minimal`); None is the default.

    Raises TopologyError with everything that is wrong.
    """
    text, name = read(source)
    return parse(text, name)


def read(source: str | Path | None = None) -> tuple[str, str]:
    """The text of such a file, and the name of that. Raises TopologyError."""
    path = _find(DEFAULT if source is None else source)
    try:
        return path.read_text(encoding="utf-8"), path.name
    except FileNotFoundError:
        known = sorted(found.stem for found in configs_directory().glob("*.toml"))
        hint = did_you_mean(path.stem, known) or f"; built in: {', '.join(known)}"
        raise _error(str(path), [Finding("", f"no such file{hint}")]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise _error(str(path), [Finding("", f"cannot be read: {error}")]) from None


def parse(text: str, file: str) -> Topology:
    """The topology in a TOML text; `file` names it in messages. Raises TopologyError."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _error(file, [Finding("", f"is not TOML: {error}")]) from None
    misshapen = list(shape.findings(document, inspect.type_info(Topology)))
    if found := [*misshapen, *_sense(_draft(document), misshapen)]:
        raise _error(file, found, key_lines(text))
    return msgspec.convert(document, Topology)


def with_base_port(topology: Topology, base_port: int) -> Topology:
    """The same topology from another first port on. Raises TopologyError if ports do not fit.

    Nodes that name a base of their own keep it.
    """
    moved = msgspec.structs.replace(topology, base_port=base_port)
    draft = Draft(moved, tuple(enumerate(moved.nodes)))
    if found := list(checks.ports(draft)):
        raise _error(topology.name, found)
    return moved


def configs_directory() -> Path:
    """The configurations that ship with the program: inside the wheel, or at the checkout's top."""
    package = Path(__file__).parents[1]
    shipped = package / "configs"
    return shipped if shipped.is_dir() else package.parent / "configs"


def _find(source: str | Path) -> Path:
    """A bare name is built in; so is `NAME.toml` or `configs/NAME.toml` if no such file exists."""
    path = Path(source)
    if path.parent == Path() and not path.suffix:
        return configs_directory() / f"{path.name}.toml"
    built_in = configs_directory() / path.name
    if not path.exists() and path.parent in (Path(), Path("configs")) and built_in.is_file():
        return built_in
    return path


def _sense(draft: Draft, misshapen: list[Finding]) -> Iterator[Finding]:
    """What makes no sense, but for what only follows from a wrong shape at the same place."""
    for finding in checks.findings(draft):
        if not any(other.key.startswith(finding.key) for other in misshapen):
            yield finding


def _draft(document: dict[str, Any]) -> Draft:
    """What of a document can be checked for sense: each part that has the right shape."""
    nameless = {"name": "", "title": {"en": "", "zh": ""}}
    head = msgspec.convert({**nameless, **_well_shaped(document, Topology), "node": []}, Topology)
    tables = document.get("node")
    tables = tables if isinstance(tables, list) else []
    nodes = tuple(_nodes(tables))
    names = {table["name"] for table in tables if isinstance(table, dict) and _named(table)}
    return Draft(head, nodes, frozenset(names - {node.name for _, node in nodes}))


def _nodes(tables: list[Any]) -> Iterator[tuple[int, NodeSpec]]:
    for index, table in enumerate(tables):
        try:
            yield index, msgspec.convert(_well_shaped(table, NodeSpec), NodeSpec)
        except msgspec.ValidationError:
            continue  # a required part is missing, as the shape's findings say


def _well_shaped(table: Any, struct: type[msgspec.Struct]) -> dict[str, Any]:
    """The members of a table that have the shape of the struct's fields."""
    if not isinstance(table, dict):
        return {}
    kind = cast(inspect.StructType, inspect.type_info(struct))
    fields = {field.encode_name: field.type for field in kind.fields}
    return {
        key: value
        for key, value in table.items()
        if key in fields and not any(shape.findings(value, fields[key]))
    }


def _named(table: dict[str, Any]) -> bool:
    return isinstance(table.get("name"), str)


def _error(
    file: str, found: Iterable[Finding], lines: dict[str, int] | None = None
) -> TopologyError:
    return TopologyError(
        Problem(file, finding.key, finding.message, line_of(finding.key, lines or {}))
        for finding in found
    )
