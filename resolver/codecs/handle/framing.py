"""Messages out of a TCP stream: each tells its length in its envelope (RFC 3652 section 2.1)."""

from __future__ import annotations

from resolver.codecs.handle.envelope import (
    LENGTH,
    MAX_LENGTH,
    MIN_LENGTH,
    SIZE,
    FramingError,
    decode_envelope,
)


class CutMessageError(FramingError):
    """The stream ended within a message."""


class MessageStream:
    """Splits what arrives on one connection into whole messages.

    Never holds more than one message and the last piece fed. After a length that cannot be,
    `failure` says why, and what is fed later is thrown away: the place of the next message is not
    known.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        #: Octets that there have to be before more is known.
        self._needed = SIZE
        self.failure: FramingError | None = None

    @property
    def held(self) -> int:
        """Octets of a message that is not complete."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Take what arrived; the messages complete now, in order. Look at `failure` after."""
        if self.failure is not None:
            return []
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._needed:
                return []
            data = bytes(self._buffer)
            self._buffer.clear()
        messages = []
        start, size, needed = 0, len(data), SIZE
        while size - start >= SIZE:
            (length,) = LENGTH.unpack_from(data, start)
            if not MIN_LENGTH <= length <= MAX_LENGTH:
                self._fail(data[start : start + SIZE])
                break
            end = start + SIZE + length
            if end > size:
                needed = end - start
                break
            messages.append(data[start:end])
            start = end
        if start < size:
            self._buffer += data[start:]
            self._needed = needed
        return messages

    def finish(self) -> None:
        """The peer sends no more. Raises CutMessageError within a message, or the failure."""
        if self.failure is not None:
            raise self.failure
        received = len(self._buffer)
        if received >= SIZE:
            head = bytes(self._buffer[:SIZE])
            expected = decode_envelope(head).length
            error = CutMessageError(
                f"expecting {expected} octets, only received {received - SIZE}", received
            )
            error.head = head
            raise error
        if received:
            raise CutMessageError(f"{received} octets are too few for an envelope", received)

    def _fail(self, head: bytes) -> None:
        """Have the codec say what is wrong with an envelope."""
        try:
            decode_envelope(head)
        except FramingError as error:
            error.head = head
            self.failure = error
