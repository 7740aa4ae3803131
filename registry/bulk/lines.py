"""An upload cut into lines while it arrives, in memory that does not grow with it."""

from __future__ import annotations

from typing import Final

#: Most octets of a line: what a single registration may send.
MAX_LINE: Final = 1 << 20
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class LineSplitter:
    """Gives back the lines of a stream of octets, None in place of one that is too long.

    Lines end with LF (what stands before it is JSON's white space, CR too). A mark of UTF-8 at the
    very beginning is left out.
    """

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max_line = max_line
        self._rest = b""
        self._overlong = False
        self._begun = False

    @property
    def pending(self) -> bool:
        """Whether a line has begun and not ended."""
        return self._overlong or bool(self._rest)

    def feed(self, octets: bytes) -> list[bytes | None]:
        """The lines that end within these octets."""
        if not self._begun:
            octets = self._beginning(octets)
            if not self._begun:
                return []
        lines: list[bytes | None] = []
        lines += (self._rest + octets).split(b"\n")
        self._rest = lines.pop() or b""
        if self._overlong and lines:
            lines[0], self._overlong = None, False
        if len(octets) > self._max_line or (lines and len(lines[0] or b"") > self._max_line):
            lines = [None if line and len(line) > self._max_line else line for line in lines]
        if self._overlong or len(self._rest) > self._max_line:
            self._rest, self._overlong = b"", True
        return lines

    def finish(self) -> list[bytes | None]:
        """The line that the stream ended in the middle of, if there is one."""
        if not self.pending:
            return []
        overlong = self._overlong or len(self._rest) > self._max_line
        last, self._rest = None if overlong else self._rest, b""
        self._overlong = False
        return [last]

    def _beginning(self, octets: bytes) -> bytes:
        """Without the mark, which may come in pieces."""
        start, self._rest = self._rest + octets, b""
        if len(start) < len(_BYTE_ORDER_MARK) and _BYTE_ORDER_MARK.startswith(start):
            self._rest = start
            return b""
        self._begun = True
        return start.removeprefix(_BYTE_ORDER_MARK)
