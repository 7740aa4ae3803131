"""`idnode import`: register the rows of a file, or a run of serial numbers, in bulk."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from registry.bulk.mapping import NoSuchMapping
from registry.bulk.sources import FORMATS, Line, ndjson_lines, serial_lines, table_lines
from registry.schemes import handle
from resolver.cli.import_run import Import, Source
from resolver.cli.output import note
from resolver.cli.register import ValueArgument, find_door
from resolver.cli.running import data_option

#: Octets of a file that are read at once to tell it from others.
_PIECE: Final = 1 << 20
_MEANING: Final = "COLUMN=INDEX:TYPE"


@click.command("import")
@click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False
)
@data_option
@click.option("--prefix", required=True, help="The prefix that all identifiers lie under.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(sorted(set(FORMATS.values()))),
    help="Default: by the end of the file's name.",
)
@click.option(
    "--map",
    "mapped",
    metavar=_MEANING,
    multiple=True,
    help="What a column is: INDEX:TYPE, suffix or identifier. Default: what it is called.",
)
@click.option("--serial", metavar="FORMAT", help="Instead of FILE: suffixes such as BOT-{:06d}.")
@click.option("--from", "first", type=click.IntRange(0), default=1, show_default=True)
@click.option("--to", "last", type=click.IntRange(0))
@click.option(
    "--set",
    "values",
    type=ValueArgument(),
    multiple=True,
    help="With --serial: a value; {suffix} and {number} stand for those of each identifier.",
)
@click.option("--dry-run", is_flag=True, help="Check every row and register nothing.")
@click.option("--resume", is_flag=True, help="Go on where an import of the same file ended.")
@click.option("--report", type=click.Path(path_type=Path), help="Default: FILE.report.ndjson.")
@click.option("--node", "node_name", metavar="NAME", help="The node to register with.")
@click.option("--via", metavar="URL", help="The http(s) URL of the node to register with.")
@click.option("--token", envvar="IDNODE_TOKEN", help="Default: from the data directory.")
def import_(
    file: Path | None,
    data: Path,
    prefix: str,
    kind: str | None,
    mapped: tuple[str, ...],
    serial: str | None,
    first: int,
    last: int | None,
    values: tuple[dict[str, Any], ...],
    dry_run: bool,
    resume: bool,
    report: Path | None,
    node_name: str | None,
    via: str | None,
    token: str | None,
) -> int:
    """Register the rows of FILE (CSV, TSV, XLSX or NDJSON), each durable when it is reported.

    Row 1 of a table names its columns. Refused rows are written to the report, a line of JSON each;
    the exit status is 0 if there are none, and 1 otherwise.
    """
    if (file is None) == (serial is None):
        raise click.UsageError("give either FILE or --serial")
    prefix = handle.parse(f"{prefix}/").prefix
    options = [prefix, kind, mapped, serial, first, last, values]
    if file is not None:
        if values or last is not None:
            raise click.UsageError("--to and --set go with --serial")
        source = _of_file(file, kind, prefix, mapped, options)
    else:
        assert serial is not None
        source = _of_numbers(prefix, serial, first, last, values, options)
    task = Import(source, report)
    if dry_run:
        return task.check(prefix)
    door = find_door(data, prefix, node_name, via, token)
    return task.run(door, resume=resume)


def _of_file(
    file: Path, kind: str | None, prefix: str, mapped: tuple[str, ...], options: list[Any]
) -> Source:
    """The rows of a file. Raises click.UsageError, TableNotReadable."""
    found = kind or FORMATS.get(file.suffix.lower())
    if found is None:
        raise click.UsageError(f"{file.name} does not tell its format: give --format")
    digest, count = _read_through(file, options)
    return Source(
        _lines(file, found, prefix, mapped), None if found == "xlsx" else count, file, digest
    )


def _lines(file: Path, kind: str, prefix: str, mapped: tuple[str, ...]) -> Iterable[Line]:
    if kind == "ndjson":
        return ndjson_lines(file, prefix)
    asked = dict(_split(meaning) for meaning in mapped)
    try:
        lines = table_lines(file, kind, prefix, asked)
    except NoSuchMapping as error:
        raise click.UsageError(f"{file.name}: {error} (see --map)") from None
    if lines.unused:
        note(f"columns left out: {', '.join(lines.unused)}")
    return lines


def _read_through(file: Path, options: list[Any]) -> tuple[str, int]:
    """What tells one import from another, and the number of lines.

    The SHA-256 is over the octets of the file and over what is made of them.
    """
    made, lines = hashlib.sha256(msgspec.json.encode(options)), 0
    with file.open("rb") as octets:
        while piece := octets.read(_PIECE):
            made.update(piece)
            lines += piece.count(b"\n")
    return made.hexdigest(), lines


def _split(meaning: str) -> tuple[str, str]:
    column, equals, what = meaning.rpartition("=")
    if not equals:
        raise click.UsageError(f"--map {meaning}: {_MEANING} is expected")
    return column, what


def _of_numbers(
    prefix: str,
    serial: str,
    first: int,
    last: int | None,
    values: tuple[dict[str, Any], ...],
    options: list[Any],
) -> Source:
    """A row for each number. Raises click.UsageError."""
    if last is None or last < first or not values:
        raise click.UsageError("--serial needs --to, not before --from, and a --set")
    try:
        places = [place for _, place, _, _ in string.Formatter().parse(serial) if place is not None]
        if places not in ([""], ["0"]):
            raise ValueError("one place such as {:06d} is expected")
        serial.format(first)
    except ValueError as error:
        raise click.UsageError(f"--serial {serial}: {error}") from None
    lines = serial_lines(prefix, serial, range(first, last + 1), values)
    digest = hashlib.sha256(msgspec.json.encode(options)).hexdigest()
    return Source(lines, last + 1 - first, Path(f"{prefix}-{first}-{last}"), digest)
