"""DNS over TCP: two octets of length before each message (RFC 1035 section 4.2.2, RFC 7766)."""

from __future__ import annotations

from typing import Final

from registry.errors import DecodeError

_PREFIX: Final = 2


def frame(message: bytes) -> bytes:
    """A message of at most 65,535 octets as it goes over TCP."""
    return len(message).to_bytes(_PREFIX, "big") + message


class Splitter:
    """Cuts a byte stream into messages; holds at most one that is not complete."""

    #: Every stream is legal as far as it goes.
    failure: Final = None

    def __init__(self) -> None:
        self._buffer = b""

    @property
    def held(self) -> int:
        """Octets of a message that is not complete."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that these octets complete."""
        data = self._buffer + data
        messages = []
        offset = 0
        while len(data) - offset >= _PREFIX:
            end = offset + _PREFIX + int.from_bytes(data[offset : offset + _PREFIX], "big")
            if end > len(data):
                break
            messages.append(data[offset + _PREFIX : end])
            offset = end
        self._buffer = data[offset:]
        return messages

    def finish(self) -> None:
        """The peer sends no more. Raises DecodeError within a message."""
        if self._buffer:
            raise DecodeError("the stream ended within a message", len(self._buffer))
