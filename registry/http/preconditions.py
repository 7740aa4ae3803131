"""Preconditions of requests (RFC 9110 section 13.1.1): entity tags are versions."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from registry.errors import DecodeError

_TAG: Final = re.compile(r'"([^"]*)"')
_TAGS: Final = re.compile(r'\s*(?:W/)?"[^"]*"\s*(?:,\s*(?:W/)?"[^"]*"\s*)*')
_VERSION: Final = re.compile(r"[1-9][0-9]{0,9}")


class Wanted(NamedTuple):
    """The versions that will do; None for any, as long as there is one."""

    versions: frozenset[int] | None


def if_match(header: str | None) -> Wanted | None:
    """What an If-Match header asks for, None without one. Raises DecodeError.

    A weak tag never matches, nor does one that this server did not make.
    """
    if header is None:
        return None
    if header.strip() == "*":
        return Wanted(None)
    if not _TAGS.fullmatch(header):
        raise DecodeError("If-Match is no list of entity tags")
    strong = re.sub(r'W/"[^"]*"', "", header)
    tags = [tag for tag in _TAG.findall(strong) if _VERSION.fullmatch(tag)]
    return Wanted(frozenset(map(int, tags)))
