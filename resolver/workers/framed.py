"""What both ends of the connection between a worker and its writer share: frames, in and out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, ClassVar, cast

from registry.errors import DecodeError
from resolver.codecs.link import FrameStream

_log = logging.getLogger(__name__)


class Framed(asyncio.Protocol):
    """Hands each frame to what `takes` it; hangs up on whom it cannot understand."""

    #: Who is at the other end.
    other: ClassVar[str]

    def __init__(self, frames: FrameStream[Any], takes: dict[type, Callable[..., None]]) -> None:
        self._frames = frames
        self._takes = takes
        self._transport: asyncio.Transport

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            frames = self._frames.feed(data)
        except DecodeError as error:
            _log.error("%s cannot be understood: %s", self.other, error)
            self._transport.abort()
            return
        for frame in frames:
            self._takes[type(frame)](frame)
