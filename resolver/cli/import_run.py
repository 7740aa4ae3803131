"""One import: its rows are sent, or held against the rules alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from time import time
from typing import IO, TYPE_CHECKING, Any, Final

import click
import msgspec

from registry.bulk.rows import RefusedRow, RowReader
from registry.bulk.sources import Line
from registry.schemes.handle import DEFAULT_RULES, Key
from resolver.cli.errors import DONE, NEGATIVE, Negative, NobodyAnswered
from resolver.cli.import_state import Progress, Verdicts, verdict_line
from resolver.cli.meter import Meter
from resolver.cli.output import note
from resolver.cli.register import Door, reason

if TYPE_CHECKING:
    from resolver.transports.http_client import HttpReply

_CHUNK: Final = 1 << 16
#: Rows that are announced in the state before the first of them is sent, and that a dry run reads
#: before it says how far it is.
_AHEAD: Final = 50_000


class Source(msgspec.Struct):
    """What is imported: its lines, their number if that is known, its name, and a SHA-256 of it."""

    lines: Iterable[Line]
    count: int | None
    name: Path
    digest: str


class Import:
    """Takes the lines of a source to a node, or holds them against the rules alone."""

    def __init__(self, source: Source, report: Path | None) -> None:
        self._lines = iter(source.lines)
        self._report_path = report or Path(f"{source.name}.report.ndjson")
        self._state_path = Path(f"{source.name}.import.json")
        self._progress = Progress(source.digest)
        self._meter = Meter("rows", source.count)

    def check(self, prefix: str) -> int:
        """Hold every row against the rules, without a node."""

        def permit(key: Key) -> None:
            if key.prefix != prefix:
                raise Negative(f"{key} is not under {prefix}")

        reader = RowReader(DEFAULT_RULES, permit, int(time()))
        with self._opened_report() as report, self._meter:
            for row, line in enumerate(self._lines, 1):
                refused = _refusal(reader, line)
                if refused is not None:
                    report.write(verdict_line(row, refused))
                    self._progress.rejected += 1
                elif line is not None:
                    self._progress.accepted += 1
                if row % _AHEAD == 0:
                    self._meter.reach(row)
        return self._conclude(
            "would be registered (whether one exists, or is there twice, was not looked for)"
        )

    def run(self, door: Door, *, resume: bool) -> int:
        """Send the rows; what is told durable stays so whatever happens to this process."""
        doubtful = self._take_up() if resume else 0
        with self._opened_report() as report, self._meter:
            verdicts = Verdicts(self._progress, self._state_path, report)
            # What an earlier run may have sent counts as accepted where it is there.
            if doubtful is None:
                self._upload(door, "?existing=same", self._lines, verdicts)
            else:
                if rows := doubtful - self._progress.committed_through:
                    self._upload(door, "?existing=same", islice(self._lines, rows), verdicts)
                self._upload(door, "", self._lines, verdicts)
        self._state_path.unlink(missing_ok=True)
        durable = "; they are durable" if self._progress.accepted else ""
        return self._conclude(f"registered on {door.name}{durable}")

    def _take_up(self) -> int | None:
        """Go on from the state that was kept; the last row that may have been sent before.

        None if nothing was kept: then any may have been. Raises Negative.
        """
        kept = Progress.kept(self._state_path)
        if kept is None:
            return None
        if kept.file != self._progress.file:
            raise Negative(f"{self._state_path} is of another file or other options: no --resume")
        self._progress = kept
        for _ in islice(self._lines, kept.committed_through):
            pass
        note(f"going on behind row {kept.committed_through:,}")
        return max(kept.sent, kept.committed_through)

    @contextmanager
    def _opened_report(self) -> Iterator[IO[bytes]]:
        """The report, without what was written behind the state; none is left if nothing is."""
        path = self._report_path
        with path.open("r+b" if path.exists() else "w+b") as report:
            try:
                report.truncate(min(report.seek(0, 2), self._progress.reported))
                report.seek(0, 2)
                yield report
            finally:
                if not report.tell():
                    path.unlink(missing_ok=True)

    def _upload(self, door: Door, query: str, lines: Iterator[Line], verdicts: Verdicts) -> None:
        """Send lines, and hear of each of them. Raises Negative, NobodyAnswered."""
        from resolver.transports.http_client import NoReply
        from resolver.transports.upload_client import upload

        def told(said: dict[str, Any]) -> None:
            verdicts.hear(said)
            self._meter.reach(self._progress.committed_through)

        verdicts.begin()
        url = f"{door.url.rstrip('/')}/v1/identifiers/bulk{query}"
        try:
            refused = asyncio.run(upload(url, door.token, _chunks(lines, verdicts), told))
        except NoReply as error:
            if not (error.sent or self._progress.committed_through):
                raise NobodyAnswered(f"nobody answered, nothing was sent: {error}") from None
            verdicts.keep()
            raise NobodyAnswered(f"{error}; {self._how_far()}") from None
        except KeyboardInterrupt:
            verdicts.keep()
            note(self._how_far())
            raise
        if refused is not None:
            raise Negative(self._refused(refused))
        if verdicts.ended is None or "error" in verdicts.ended:
            said = (verdicts.ended or {}).get("error", {"message": "the answer broke off"})
            verdicts.keep()
            raise Negative(f"{said['message']}; {self._how_far()}")

    def _refused(self, reply: HttpReply) -> str:
        """Why the node took nothing of an upload, and what is to be done about it."""
        said = reason(reply.status, reply.document())
        if reply.status < 500 and not self._progress.committed_through:
            self._state_path.unlink(missing_ok=True)
            return said
        return f"{said}\n  {self._how_far()}"

    def _how_far(self) -> str:
        through = self._progress.committed_through
        if not through:
            return "no row is known to be durable: try again with --resume"
        return f"rows up to {through:,} are decided and durable: go on with --resume"

    def _conclude(self, what: str) -> int:
        rejected = self._progress.rejected
        click.echo(f"{_counted(self._progress.accepted, 'identifier')} {what}")
        if rejected:
            click.echo(f"{_counted(rejected, 'row')} refused: see {self._report_path}")
        return NEGATIVE if rejected else DONE


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}" if count else f"no {what}"


def _chunks(lines: Iterator[Line], verdicts: Verdicts) -> Iterator[bytes]:
    """The lines in pieces; in place of one that is refused here stands a blank one."""
    chunk = bytearray()
    for row, line in enumerate(lines, verdicts.start + 1):
        verdicts.about_to_send(row, _AHEAD)
        if isinstance(line, bytes):
            chunk += line
        else:
            verdicts.blank(row, line)
        chunk += b"\n"
        if len(chunk) >= _CHUNK:
            yield bytes(chunk)
            chunk.clear()
    yield bytes(chunk)


def _refusal(reader: RowReader, line: Line) -> RefusedRow | None:
    if isinstance(line, RefusedRow):
        return line
    try:
        if line is not None:
            reader.read(line)
    except RefusedRow as refused:
        return refused
    return None
