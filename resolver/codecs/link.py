"""What the processes of one node say to each other: frames of a 4-octet length and MessagePack.

The writer keeps the store; each worker has one connection to it. The writer tells what was
committed, workers ask it what they may not decide, and say what they counted.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

import msgspec

from registry.errors import DecodeError

#: Most octets of a frame: the keys of the largest commit, many times over.
MAX_FRAME: Final = 1 << 28
_LENGTH: Final = 4


# --- from the writer ---


class Welcome(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The first frame. `changes` are the commits so far, `resources` the paths that only it has."""

    changes: int
    resources: tuple[str, ...]


class Changed(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A durable commit: the identifiers it touched (None: any may have changed)."""

    keys: tuple[tuple[str, str], ...] | None
    homed_changed: bool
    changes: int


class Part(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A message of a reply that has more, for the client of that number."""

    client: int
    message: bytes


class Said(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The last message of a reply; None if none could be made."""

    number: int
    message: bytes | None


class Recount(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Asks what was counted since the last time."""

    number: int


# --- from a worker ---


class Asked(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A Handle message from a client of the worker; `protocol` and `source` are its context's."""

    number: int
    client: int
    protocol: str
    source: str
    message: bytes


class Taken(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The client has taken in the last part."""

    client: int


class Left(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The client is gone."""

    client: int


class Family(msgspec.Struct, frozen=True, array_like=True):
    """A metric as Prometheus has it; a sample is its name, its labels and their values, a number.

    `kind` is "gauge" for what is as it is; anything else grows by what is said.
    """

    name: str
    text: str
    kind: str
    samples: tuple[tuple[str, tuple[tuple[str, str], ...], float], ...]


class Counted(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What was counted since the last time; `number` is that of the question, 0 if none was."""

    number: int
    families: tuple[Family, ...]


FromWriter = Welcome | Changed | Part | Said | Recount
FromWorker = Asked | Taken | Left | Counted

_encoder: Final = msgspec.msgpack.Encoder()
_from_writer: Final = msgspec.msgpack.Decoder(FromWriter)
_from_worker: Final = msgspec.msgpack.Decoder(FromWorker)

FrameT = TypeVar("FrameT")


def encode_frame(frame: FromWriter | FromWorker) -> bytes:
    """The octets of a frame."""
    content = _encoder.encode(frame)
    return len(content).to_bytes(_LENGTH, "big") + content


class FrameStream(Generic[FrameT]):
    """Cuts what arrives on a connection into frames."""

    def __init__(self, decoder: msgspec.msgpack.Decoder[FrameT]) -> None:
        self._decoder = decoder
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[FrameT]:
        """The frames complete now, in order. Raises DecodeError: the connection is of no use."""
        self._buffer += data
        frames, start = [], 0
        while (end := self._end(start)) is not None:
            try:
                content = memoryview(self._buffer)[start + _LENGTH : end]
                frames.append(self._decoder.decode(content))
            except msgspec.DecodeError as error:
                raise DecodeError(f"the frame cannot be read: {error}") from None
            finally:
                content.release()
            start = end
        del self._buffer[:start]
        return frames

    def _end(self, start: int) -> int | None:
        """Where the frame at `start` ends, None if that is not there yet. Raises DecodeError."""
        if len(self._buffer) - start < _LENGTH:
            return None
        length = int.from_bytes(self._buffer[start : start + _LENGTH], "big")
        if length > MAX_FRAME:
            raise DecodeError(f"a frame of {length} octets is announced")
        end = start + _LENGTH + length
        return end if end <= len(self._buffer) else None


def from_writer() -> FrameStream[FromWriter]:
    """What a worker reads."""
    return FrameStream(_from_writer)


def from_worker() -> FrameStream[FromWorker]:
    """What the writer reads."""
    return FrameStream(_from_worker)
