"""Plain requests that are alike: what differs in the handle only is read in one step.

Clients of one kind send such requests for handles of one length.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from resolver.codecs.handle.fast import HANDLE_AT, PlainResolve, decode_plain_resolve

_MAX_KNOWN: Final = 1024
#: Octets of the longest request that is remembered.
_MAX_SIZE: Final = 512


class _Kind(NamedTuple):
    """A request that was read, where its handle ends, and what stands behind that."""

    plain: PlainResolve
    end: int
    rest: bytes


class Alike:
    """Reads masked requests (`fast.cache_key`) as `decode_plain_resolve` does."""

    def __init__(self) -> None:
        #: By all that stands before the handle, its length among that.
        self._known: dict[bytes, _Kind] = {}

    def read(self, request: bytes) -> PlainResolve | None:
        """The plain request, None if it is none."""
        kind = self._known.get(request[:HANDLE_AT])
        if kind is None:
            return self._read(request)
        (_, indexes, types, flags, versions, count), end, rest = kind
        if request[end:] != rest:
            return decode_plain_resolve(request)
        return PlainResolve(request[HANDLE_AT:end], indexes, types, flags, versions, count)

    def _read(self, request: bytes) -> PlainResolve | None:
        plain = decode_plain_resolve(request)
        if plain is not None and len(request) <= _MAX_SIZE:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            end = HANDLE_AT + len(plain.handle)
            self._known[request[:HANDLE_AT]] = _Kind(plain, end, request[end:])
        return plain
