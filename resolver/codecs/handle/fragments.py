"""A message over several UDP packets (RFC 3652 section 2.1.5), and packets back to a message.

A packet has at most 512 octets: the envelope and 492 of the message. In every packet the
truncated flag is set, the sequence counts from 0 and the length is that of the whole message, as
peers have it and the RFC has not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from resolver.codecs.handle.envelope import (
    SIZE,
    TRUNCATED,
    Envelope,
    FramingError,
    decode_envelope,
    encode_envelope,
)

MAX_DATAGRAM: Final = 512
CHUNK: Final = MAX_DATAGRAM - SIZE
#: Seconds a message may take to arrive in full.
PATIENCE: Final = 5.0
_FLAGS_AT: Final = 2
#: The sequence of the packets of a message that fits into two, as most do that need more than one.
_FIRST, _SECOND = bytes(4), b"\0\0\0\1"


def split_message(message: bytes) -> tuple[bytes, ...]:
    """The packets of an encoded message: itself if it fits into one."""
    if len(message) <= MAX_DATAGRAM:
        return (message,)
    head = message[:_FLAGS_AT] + bytes([message[_FLAGS_AT] | TRUNCATED]) + message[3:12]
    length = message[16:SIZE]
    starts = range(SIZE, len(message), CHUNK)
    return tuple(
        [
            b"".join((head, sequence.to_bytes(4, "big"), length, message[start : start + CHUNK]))
            for sequence, start in enumerate(starts)
        ]
    )


def cut(message: bytes) -> bytes:
    """The packets of an encoded message, one after another."""
    size = len(message)
    if size <= MAX_DATAGRAM:
        return message
    if size > MAX_DATAGRAM + CHUNK:
        return b"".join(split_message(message))
    head = b"%b%c%b" % (message[:_FLAGS_AT], message[_FLAGS_AT] | TRUNCATED, message[3:12])
    first, second = message[SIZE:MAX_DATAGRAM], message[MAX_DATAGRAM:]
    length = message[16:SIZE]
    return b"".join((head, _FIRST, length, first, head, _SECOND, length, second))


def is_fragment(envelope: Envelope, size: int, *, trust_length: bool = False) -> bool:
    """Whether a datagram of `size` octets is one of several.

    With `trust_length` a message longer than a packet tells so too: some servers forget the flag in
    replies. Never with requests: there it is junk.
    """
    if envelope.truncated:
        return True
    return trust_length and envelope.length > CHUNK and envelope.length > size - SIZE


class Limits(NamedTuple):
    """What may be pending: messages altogether, and octets for one source."""

    messages: int = 1024
    octets_per_source: int = 524_288


DEFAULT_LIMITS: Final = Limits()


@dataclass(slots=True)
class _Pending:
    envelope: Envelope
    since: float
    chunks: dict[int, bytes] = field(default_factory=dict)

    @property
    def octets(self) -> int:
        return sum(map(len, self.chunks.values()))


class Reassembler:
    """Messages out of packets that come in any order, and more than once.

    Packets belong together by source and request id. What is not complete after 5 seconds is
    forgotten, and so is the oldest message when too many are pending.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._pending: dict[tuple[object, int], _Pending] = {}
        self._octets: dict[object, int] = {}
        #: Messages given up: not complete in time, or pushed out.
        self.abandoned = 0

    def __len__(self) -> int:
        return len(self._pending)

    def feed(self, source: object, datagram: bytes, now: float) -> bytes | None:
        """Take one packet of a message; the whole message when it is complete, as if never split.

        `source` is the sender's address without the port, `now` monotonic seconds. Raises
        FramingError for a packet that cannot belong to a message or is over its source's budget.
        """
        self.expire(now)
        envelope = decode_envelope(datagram)
        chunk = datagram[SIZE:]
        _check_chunk(envelope, len(chunk))
        key = (source, envelope.request_id)
        pending = self._pending.get(key)
        if pending is not None and pending.envelope.length != envelope.length:
            raise FramingError("packets of one message differ in its length", 16)
        if pending is not None and envelope.sequence in pending.chunks:
            return None
        self._charge(source, len(chunk))
        pending = pending or self._open(key, envelope, now)
        pending.chunks[envelope.sequence] = chunk
        if len(pending.chunks) < _packets(envelope.length):
            return None
        self._close(key)
        return _whole(pending)

    def expire(self, now: float) -> None:
        """Forget what took too long."""
        late = now - PATIENCE
        while self._pending:
            key, oldest = next(iter(self._pending.items()))
            if oldest.since > late:
                return
            self._abandon(key)

    def _open(self, key: tuple[object, int], envelope: Envelope, now: float) -> _Pending:
        if len(self._pending) >= self._limits.messages:
            self._abandon(next(iter(self._pending)))
        pending = self._pending[key] = _Pending(envelope, now)
        return pending

    def _charge(self, source: object, octets: int) -> None:
        total = self._octets.get(source, 0) + octets
        if total > self._limits.octets_per_source:
            raise FramingError("too much is pending from this source")
        self._octets[source] = total

    def _abandon(self, key: tuple[object, int]) -> None:
        self.abandoned += 1
        self._close(key)

    def _close(self, key: tuple[object, int]) -> None:
        source = key[0]
        left = self._octets.get(source, 0) - self._pending.pop(key).octets
        if left > 0:
            self._octets[source] = left
        else:
            self._octets.pop(source, None)


def _packets(length: int) -> int:
    return -(-length // CHUNK)


def _check_chunk(envelope: Envelope, size: int) -> None:
    """Every packet but the last is full, and the last holds the rest."""
    last = _packets(envelope.length) - 1
    expected = envelope.length - last * CHUNK if envelope.sequence == last else CHUNK
    if envelope.sequence > last or size != expected:
        raise FramingError(
            f"packet {envelope.sequence} of {last + 1} has {size} octets of the message", 12
        )


def _whole(pending: _Pending) -> bytes:
    envelope = pending.envelope._replace(sequence=0, flags=pending.envelope.flags & ~TRUNCATED)
    chunks = (pending.chunks[sequence] for sequence in range(len(pending.chunks)))
    return encode_envelope(envelope) + b"".join(chunks)
