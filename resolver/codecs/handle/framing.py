"""Messages out of a TCP stream: each tells its length in its envelope (RFC 3652 section 2.1)."""

from __future__ import annotations

from resolver.codecs.handle.envelope import SIZE, FramingError, announced_length, decode_envelope


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
        self.failure: FramingError | None = None

    @property
    def held(self) -> int:
        """Octets of a message that is not complete."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Take what arrived; the messages complete now, in order. Look at `failure` after."""
        if self.failure is not None:
            return []
        buffer = self._buffer
        if buffer:
            buffer += data
            messages, end = self._cut(buffer)
            del buffer[:end]
        else:
            messages, end = self._cut(data)
            buffer += data[end:]
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

    def _cut(self, data: bytes | bytearray) -> tuple[list[bytes], int]:
        """The messages that are there in full, and where the last of them ends."""
        messages = []
        start, size = 0, len(data)
        try:
            while size - start >= SIZE:
                end = start + SIZE + announced_length(data, start)
                if end > size:
                    break
                messages.append(bytes(data[start:end]))
                start = end
        except FramingError as error:
            self.failure = error
        return messages, start
