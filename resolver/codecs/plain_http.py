"""The plainest of HTTP/1.1 requests and its reply as octets (RFC 9112), for the hot path.

A request is plain if it is a GET under /api/handles/ with nothing in its headers that could change
the answer, or where the next request begins. Whatever is not surely so is no plain request: what is
not on the list is left to a full server, which then reads the connection from this octet on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

#: Longest request that is looked at, and most header sections that are remembered.
MAX_REQUEST: Final = 4096
MAX_SECTIONS: Final = 1024
_LINE: Final = re.compile(rb"GET (/api/handles/[!\"$-~]+) HTTP/1\.1")
#: Headers that make no difference to this resource, and a connection that is kept.
_HEADER: Final = re.compile(
    rb"(?:(host)|connection(?=:[ \t]*keep-alive[ \t]*\r)|user-agent|accept|accept-encoding"
    rb"|accept-language|cache-control|pragma|referer|dnt|priority|sec-[a-z-]+)"
    rb":[ \t]*[!-~][\t -~]*\r\n",
    re.IGNORECASE,
)


class PlainRequests:
    """Recognises them; header sections seen before cost a look-up."""

    def __init__(self) -> None:
        self._sections: set[bytes] = set()

    def line_of(self, data: bytes) -> bytes | None:
        """The request line, if `data` is one plain request and nothing else.

        The line is still to be held against those known to be sound, or read by `target_of`.
        """
        line, _, section = data.partition(b"\r\n")
        if section not in self._sections and not self._is_plain(section):
            return None
        return line if line.startswith(b"GET /api/handles/") else None

    def _is_plain(self, section: bytes) -> bool:
        if len(section) > MAX_REQUEST or not is_plain_section(section):
            return False
        if len(self._sections) >= MAX_SECTIONS:
            self._sections.clear()
        self._sections.add(section)
        return True


def is_plain_section(section: bytes) -> bool:
    """Whether these are the headers of a plain request, with the empty line that ends them."""
    at = hosts = 0
    while found := _HEADER.match(section, at):
        hosts += found[1] is not None
        at = found.end()
    return hosts == 1 and section[at:] == b"\r\n"


def target_of(line: bytes) -> str | None:
    """The request target in a request line, if that is a plain one."""
    found = _LINE.fullmatch(line) if len(line) <= MAX_REQUEST else None
    return None if found is None else found[1].decode("ascii")


def undated(status: int, headers: Mapping[str, str], body: bytes, server: str) -> bytes:
    """A reply as it is sent on a connection that is kept, but for its date."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {text}" for name, text in headers.items()]
    lines += [f"Content-Length: {len(body)}", f"Server: {server}", "\r\n"]
    return "\r\n".join(lines).encode() + body


def dated(reply: bytes, date: bytes) -> bytes:
    """An undated reply with the whole header line `date` behind its status line."""
    at = reply.index(b"\n") + 1
    return b"%b%b%b" % (reply[:at], date, reply[at:])
