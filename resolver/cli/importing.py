"""`idnode import`: register the rows of a file, or a run of serial numbers, in bulk."""

from __future__ import annotations

import asyncio
import hashlib
import string
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import monotonic, time
from typing import IO, Any, Final

import click
import msgspec

from registry.bulk.batches import Verdict, verdict_lines
from registry.bulk.mapping import NoSuchMapping
from registry.bulk.rows import RefusedRow, RowReader
from registry.bulk.sources import FORMATS, Line, ndjson_lines, serial_lines, table_lines
from registry.schemes import handle
from registry.schemes.handle import DEFAULT_RULES, Key
from resolver.cli.errors import DONE, NEGATIVE, Negative, NobodyAnswered
from resolver.cli.output import note
from resolver.cli.register import Door, ValueArgument, find_door, reason
from resolver.cli.running import data_option
from resolver.data_directory import write_atomically

_CHUNK: Final = 1 << 16
#: Seconds between two times that the state is kept and the progress shown.
_KEEP_EVERY: Final = 0.25
_MEANING: Final = "COLUMN=INDEX:TYPE"


class Progress(msgspec.Struct):
    """How far an import is; `file` is the SHA-256 of what is imported and how."""

    file: str
    committed_through: int = 0
    accepted: int = 0
    rejected: int = 0


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
    if serial is not None:
        lines: Iterable[Line] = _serial(prefix, serial, first, last, values)
        name = Path(f"{prefix}-{first}-{last}")
    else:
        assert file is not None
        lines, name = _lines(file, kind, prefix, mapped), file
    digest = _digest(file, [prefix, kind, mapped, serial, first, last, values])
    task = _Import(lines, name, report, digest)
    if dry_run:
        return task.check(prefix)
    door = find_door(data, prefix, node_name, via, token)
    return task.run(door, resume=resume)


def _lines(file: Path, kind: str | None, prefix: str, mapped: tuple[str, ...]) -> Iterable[Line]:
    found = kind or FORMATS.get(file.suffix.lower())
    if found is None:
        raise click.UsageError(f"{file.name} does not tell its format: give --format")
    if found == "ndjson":
        return ndjson_lines(file, prefix)
    asked = dict(_split(meaning) for meaning in mapped)
    try:
        lines = table_lines(file, found, prefix, asked)
    except NoSuchMapping as error:
        raise click.UsageError(f"{file.name}: {error}") from None
    if lines.unused:
        note(f"columns left out: {', '.join(lines.unused)}")
    return lines


def _split(meaning: str) -> tuple[str, str]:
    column, equals, what = meaning.rpartition("=")
    if not equals:
        raise click.UsageError(f"--map {meaning}: {_MEANING} is expected")
    return column, what


def _serial(
    prefix: str, serial: str, first: int, last: int | None, values: tuple[dict[str, Any], ...]
) -> Iterable[Line]:
    if last is None or last < first or not values:
        raise click.UsageError("--serial needs --to, not before --from, and a --set")
    try:
        places = [place for _, place, _, _ in string.Formatter().parse(serial) if place is not None]
        if places not in ([""], ["0"]):
            raise ValueError("one place such as {:06d} is expected")
        serial.format(first)
    except ValueError as error:
        raise click.UsageError(f"--serial {serial}: {error}") from None
    return serial_lines(prefix, serial, range(first, last + 1), values)


def _digest(file: Path | None, options: list[Any]) -> str:
    """What tells one import from another: the octets of the file, and what is made of them."""
    made = hashlib.sha256(msgspec.json.encode(options))
    if file is not None:
        with file.open("rb") as octets:
            made.update(hashlib.file_digest(octets, "sha256").digest())
    return made.hexdigest()


class _Import:
    """One import: its lines, the report on them, and the state that it can be resumed from."""

    def __init__(self, lines: Iterable[Line], name: Path, report: Path | None, digest: str) -> None:
        self._lines = iter(lines)
        self._report_path = report or Path(f"{name}.report.ndjson")
        self._state_path = Path(f"{name}.import.json")
        self._progress = Progress(digest)
        self._start = 0
        self._kept_at = 0.0
        #: Blank lines that were sent and not answered yet: the row, and why if it was refused here.
        self._waiting: deque[tuple[int, RefusedRow | None]] = deque()
        #: Of the rows behind `committed_through`: those refused by the node, and the blank ones.
        self._refused = self._blank = 0
        self._ended: dict[str, Any] | None = None

    def check(self, prefix: str) -> int:
        """Hold every row against the rules, without a node."""
        reader = RowReader(DEFAULT_RULES, lambda key: _check(key, prefix), int(time()))
        with self._report_path.open("wb") as report:
            for number, line in enumerate(self._lines, 1):
                refused = _refusal(reader, line)
                if refused is not None:
                    report.write(_verdict(number, refused))
                    self._progress.rejected += 1
                elif line is not None:
                    self._progress.accepted += 1
        return self._conclude("would be registered (identifiers that exist were not looked for)")

    def run(self, door: Door, *, resume: bool) -> int:
        """Send the rows; what is told durable stays so whatever happens to this process."""
        from resolver.transports.http_client import NoReply
        from resolver.transports.upload_client import upload

        if resume:
            self._take_up()
        # Rows behind the state may have been committed before it was kept: they count as accepted.
        query = "?existing=same" if resume else ""
        url = f"{door.url.rstrip('/')}/v1/identifiers/bulk{query}"
        with self._report_path.open("ab" if resume else "wb") as report:
            try:
                refused = asyncio.run(
                    upload(url, door.token, self._chunks(), lambda said: self._told(said, report))
                )
            except NoReply as error:
                self._keep()
                raise NobodyAnswered(f"{error}; {self._how_far()}") from None
        if refused is not None:
            raise Negative(reason(refused.status, refused.document()))
        if self._ended is None or "error" in self._ended:
            self._keep()
            said = (self._ended or {}).get("error", {"message": "the answer broke off"})
            raise Negative(f"{said['message']}; {self._how_far()}")
        self._state_path.unlink(missing_ok=True)
        return self._conclude(f"registered on {door.name}; they are durable")

    def _take_up(self) -> None:
        try:
            kept = msgspec.json.decode(self._state_path.read_bytes(), type=Progress)
        except FileNotFoundError:
            return
        except msgspec.DecodeError as error:
            raise Negative(f"{self._state_path} cannot be read: {error}") from None
        if kept.file != self._progress.file:
            raise Negative(f"{self._state_path} is of another file or other options: no --resume")
        self._progress = kept
        self._start = kept.committed_through
        for _ in zip(range(self._start), self._lines, strict=False):
            pass
        note(f"going on behind row {self._start}")

    def _chunks(self) -> Iterator[bytes]:
        """The lines in pieces; in place of one that is refused here stands a blank one."""
        chunk = bytearray()
        for number, line in enumerate(self._lines, self._start + 1):
            if isinstance(line, bytes):
                chunk += line
            else:
                self._waiting.append((number, line))
            chunk += b"\n"
            if len(chunk) >= _CHUNK:
                yield bytes(chunk)
                chunk.clear()
        yield bytes(chunk)

    def _told(self, said: dict[str, Any], report: IO[bytes]) -> None:
        """Take in a line of the answer; its numbers count from where this upload began."""
        if "line" in said:
            said["line"] += self._start
            self._pass_blank(said["line"], report)
            report.write(msgspec.json.encode(said) + b"\n")
            self._refused += 1
            return
        if "accepted" in said:
            self._ended = said
        self._advance(self._start + said["committed_through"], report)
        if monotonic() - self._kept_at > _KEEP_EVERY or self._ended:
            report.flush()
            self._keep()

    def _pass_blank(self, through: int, report: IO[bytes]) -> None:
        """Report those refused here, up to this row."""
        while self._waiting and self._waiting[0][0] <= through:
            number, refused = self._waiting.popleft()
            self._blank += 1
            if refused is not None:
                report.write(_verdict(number, refused))
                self._progress.rejected += 1

    def _advance(self, through: int, report: IO[bytes]) -> None:
        """Count what became of the rows up to this one."""
        self._pass_blank(through, report)
        progress = self._progress
        decided = through - progress.committed_through - self._blank
        progress.accepted += decided - self._refused
        progress.rejected += self._refused
        progress.committed_through, self._refused, self._blank = through, 0, 0

    def _keep(self) -> None:
        self._kept_at = monotonic()
        write_atomically(self._state_path, msgspec.json.encode(self._progress))
        if sys.stderr.isatty():
            click.echo(f"\r{self._progress.committed_through:,} rows", nl=False, err=True)

    def _how_far(self) -> str:
        return (
            f"rows up to {self._progress.committed_through} are decided and durable:"
            " go on with --resume"
        )

    def _conclude(self, what: str) -> int:
        rejected = self._progress.rejected
        if sys.stderr.isatty():
            click.echo("", err=True)
        click.echo(f"{self._progress.accepted:,} identifiers {what}")
        if rejected:
            rows = "row" if rejected == 1 else "rows"
            click.echo(f"{rejected:,} {rows} refused: see {self._report_path}")
        else:
            self._report_path.unlink(missing_ok=True)
        return NEGATIVE if rejected else DONE


def _refusal(reader: RowReader, line: Line) -> RefusedRow | None:
    if isinstance(line, RefusedRow):
        return line
    try:
        if line is not None:
            reader.read(line)
    except RefusedRow as refused:
        return refused
    return None


def _verdict(number: int, refused: RefusedRow) -> bytes:
    return verdict_lines([Verdict(number, refused.asked, refused.refusal)])


def _check(key: Key, prefix: str) -> None:
    if key.prefix != prefix:
        raise Negative(f"{key} is not under {prefix}")
