"""HTTP/1.1 replies out of a stream, one request under way at a time (RFC 9112)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

MAX_HEAD: Final = 65_536
MAX_BODY: Final = 64 * 1024 * 1024
_END: Final = b"\r\n\r\n"
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d\d\d)[ \r]")
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r", re.IGNORECASE)
_LOCATION: Final = re.compile(rb"\r\nlocation:[ \t]*([^\r]*?)[ \t]*\r", re.IGNORECASE)
_CLOSE: Final = re.compile(rb"\r\nconnection:[ \t]*close[ \t]*\r", re.IGNORECASE)
_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r]*\r\n")


class NotHttp(Exception):  # noqa: N818 - it is what came
    """The stream holds no reply that can be read; str() says why."""


class Reply(NamedTuple):
    """What is judged of a reply, and whether the connection can be used again."""

    status: int
    location: bytes
    body: bytes
    closes: bool

    @property
    def content(self) -> bytes:
        """Status, location and body as one: what the replies to a repeated request share."""
        return b"%d %b\n%b" % (self.status, self.location, self.body)


class ReplyReader:
    """Reads one reply after the other; octets behind the reply that was asked for are an error."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> Reply | None:
        """Take what came; the reply if it is complete. Raises NotHttp."""
        self._data = data = self._data + data if self._data else data
        end = data.find(_END)
        if end < 0:
            if len(data) > MAX_HEAD:
                raise NotHttp("the head of the reply does not end")
            return None
        head, start = data[: end + 2], end + len(_END)
        status = _STATUS.match(head)
        if status is None:
            raise NotHttp("the reply is not HTTP/1.1")
        read = _body(int(status[1]), head, data, start)
        if read is None:
            return None
        body, stop = read
        if stop != len(data):
            raise NotHttp("more came than was asked for")
        self._data = b""
        location = _LOCATION.search(head)
        return Reply(
            int(status[1]), location[1] if location else b"", body, bool(_CLOSE.search(head))
        )


def _body(status: int, head: bytes, data: bytes, start: int) -> tuple[bytes, int] | None:
    """The body and where it ends; None if it is not complete. Raises NotHttp."""
    if status in (204, 304):
        return b"", start
    if _CHUNKED.search(head):
        return _chunks(data, start)
    length = _LENGTH.search(head)
    if length is None:
        raise NotHttp("the length of the reply is not given")
    if (size := int(length[1])) > MAX_BODY:
        raise NotHttp(f"a body of {size} octets")
    return (data[start : start + size], start + size) if len(data) >= start + size else None


def _chunks(data: bytes, at: int) -> tuple[bytes, int] | None:
    """A body in chunks (RFC 9112 section 7.1); trailers are not read."""
    body = bytearray()
    while size_line := _CHUNK_SIZE.match(data, at):
        size, at = int(size_line[1], 16), size_line.end()
        if len(body) + size > MAX_BODY:
            raise NotHttp("the body does not end")
        if len(data) < at + size + 2:
            return None
        if data[at + size : at + size + 2] != b"\r\n":
            raise NotHttp("a chunk is not as long as it says")
        if not size:
            return bytes(body), at + 2
        body += data[at : at + size]
        at += size + 2
    if b"\r\n" in data[at:]:
        raise NotHttp("a chunk has no size")
    return None
