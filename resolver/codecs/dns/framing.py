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
        if self._buffer:
            data = self._buffer + data
        messages = []
        offset, size = 0, len(data)
        while size - offset >= _PREFIX:
            start = offset + _PREFIX
            end = start + (data[offset] << 8 | data[offset + 1])
            if end > size:
                break
            messages.append(data[start:end])
            offset = end
        self._buffer = data[offset:]
        return messages

    def finish(self) -> None:
        """The peer sends no more. Raises DecodeError within a message."""
        if self._buffer:
            raise DecodeError("the stream ended within a message", len(self._buffer))
