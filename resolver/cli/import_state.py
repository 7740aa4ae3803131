"""How far an import is: what became of each row, in a report and in a state to go on from."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from time import monotonic
from typing import IO, Any, Final, Self

import msgspec

from registry.bulk.batches import Verdict, verdict_lines
from registry.bulk.rows import RefusedRow
from resolver.cli.errors import Negative
from resolver.data_directory import write_atomically

#: Seconds between two times that the state is kept.
_KEEP_EVERY: Final = 0.25


class Progress(msgspec.Struct):
    """`file` is the SHA-256 of what is imported and how; numbers of rows count from 1.

    Rows up to `committed_through` are decided and durable, and `reported` octets of the report tell
    of them. Rows behind that up to `sent` may have reached the node.
    """

    file: str
    committed_through: int = 0
    accepted: int = 0
    rejected: int = 0
    reported: int = 0
    sent: int = 0

    @classmethod
    def kept(cls, path: Path) -> Self | None:
        """What was kept last, None if nothing was. Raises Negative."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as error:
            raise Negative(f"{path} cannot be read: {error}") from None


class Verdicts:
    """What became of the rows of an upload, told in order: by its answer, and of those not sent.

    `progress` and `report` go on from where they are; `begin` starts an upload.
    """

    def __init__(self, progress: Progress, path: Path, report: IO[bytes]) -> None:
        self.progress = progress
        self._path = path
        self._report = report
        self._kept_at = 0.0
        self.begin()

    def begin(self) -> None:
        """The next upload begins behind the last row that is decided."""
        self.start = self.progress.committed_through
        #: What the answer ended with.
        self.ended: dict[str, Any] | None = None
        #: Lines that were sent blank and not answered yet: the row, and why if it was refused here.
        self._waiting: deque[tuple[int, RefusedRow | None]] = deque()
        #: Of the rows behind `committed_through`: those refused, and those that are none.
        self._refused = self._empty = 0

    def blank(self, row: int, refused: RefusedRow | None) -> None:
        """A blank line was sent in place of a row: it was refused here, or nothing stands in it."""
        self._waiting.append((row, refused))

    def about_to_send(self, row: int, ahead: int) -> None:
        """Have it kept that rows up to this one may reach the node, and `ahead` more."""
        if row > self.progress.sent:
            self.progress.sent = row + ahead
            self.keep()

    def hear(self, said: dict[str, Any]) -> None:
        """Take in a line of the answer; its numbers count from where the upload began."""
        if "line" in said:
            said["line"] += self.start
            self._pass_blank(said["line"])
            self._write(msgspec.json.encode(said) + b"\n")
            return
        if "accepted" in said:
            self.ended = said
        self._advance(self.start + said["committed_through"])
        if monotonic() - self._kept_at > _KEEP_EVERY or self.ended:
            self.keep()

    def keep(self) -> None:
        """Keep the state, which tells of no more than the report does."""
        self._kept_at = monotonic()
        self._report.flush()
        write_atomically(self._path, msgspec.json.encode(self.progress))

    def _pass_blank(self, through: int) -> None:
        """Report those refused here, up to this row."""
        while self._waiting and self._waiting[0][0] <= through:
            row, refused = self._waiting.popleft()
            if refused is None:
                self._empty += 1
            else:
                self._write(verdict_line(row, refused))

    def _write(self, line: bytes) -> None:
        self._report.write(line)
        self._refused += 1

    def _advance(self, through: int) -> None:
        """Count what became of the rows up to this one."""
        self._pass_blank(through)
        progress = self.progress
        rows = through - progress.committed_through - self._empty
        progress.accepted += rows - self._refused
        progress.rejected += self._refused
        progress.committed_through, self._refused, self._empty = through, 0, 0
        progress.reported = self._report.tell()


def verdict_line(row: int, refused: RefusedRow) -> bytes:
    """A row that was refused before it was sent, as the node would tell of it."""
    return verdict_lines([Verdict(row, refused.asked, refused.refusal)])
