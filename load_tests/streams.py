"""Requests over TCP connections that are kept, many under way on each: Handle and DNS."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from load_tests.connection import Connection, ConnectionLost
from load_tests.ledger import Ledger
from load_tests.recorder import Recorder
from load_tests.requests.template import Template, Wire


class Splitter(Protocol):
    """Cuts a stream into messages; `failure` says why it cannot any more."""

    @property
    def failure(self) -> Exception | None: ...

    def feed(self, data: bytes) -> list[bytes]: ...


class Framing(NamedTuple):
    """How messages stand in a stream: `frame` puts one in, a new splitter gets them out."""

    frame: Callable[[bytes], bytes]
    splitter: Callable[[], Splitter]


class Streams:
    """The carrier for messages over TCP; a connection that ended is opened anew when needed."""

    def __init__(
        self,
        host: str,
        port: int,
        wire: Wire,
        framing: Framing,
        recorder: Recorder,
        patience: int,
        connections: int,
    ) -> None:
        self._lanes = [
            _Lane((host, port), wire, framing, Ledger(wire, recorder, patience))
            for _ in range(connections)
        ]
        self._turn = 0

    @property
    def under_way(self) -> int:
        return sum([len(lane.ledger) for lane in self._lanes])

    def readers(self) -> Sequence[int]:
        return [lane.connection.fd for lane in self._lanes if lane.connection is not None]

    def writers(self) -> Sequence[int]:
        return [
            lane.connection.fd
            for lane in self._lanes
            if lane.connection is not None and lane.connection.wants_to_write
        ]

    def send(self, intended: list[int], templates: Iterator[Template], now: int) -> None:
        self._turn = (self._turn + 1) % len(self._lanes)
        self._lanes[self._turn].send(intended, templates, now)

    def read(self, fd: int) -> None:
        for lane in self._of(fd):
            lane.read()

    def write(self, fd: int) -> None:
        for lane in self._of(fd):
            lane.write()

    def expire(self, now: int) -> None:
        for lane in self._lanes:
            lane.ledger.expire(now)

    def close(self) -> None:
        for lane in self._lanes:
            lane.close()

    def _of(self, fd: int) -> list[_Lane]:
        """The lane with this descriptor, if it still has it."""
        return [lane for lane in self._lanes if lane.connection and lane.connection.fd == fd]


class _Lane:
    """A connection and the requests that went into it."""

    def __init__(
        self,
        target: tuple[str, int],
        wire: Wire,
        framing: Framing,
        ledger: Ledger,
    ) -> None:
        self.connection: Connection | None = None
        self.ledger = ledger
        self._target = target
        self._wire = wire
        self._framing = framing
        self._splitter = framing.splitter()

    def send(self, intended: list[int], templates: Iterator[Template], now: int) -> None:
        wire, frame = self._wire, self._framing.frame
        octets = bytearray()
        for due in intended:
            template = next(templates)
            ident = self.ledger.open(template, due, now)
            if ident is not None:
                message = bytearray(template.request)
                wire.id.pack_into(message, wire.id_at, ident)
                octets += frame(bytes(message))
        try:
            if self.connection is None:
                self.connection = Connection(*self._target)
                self._splitter = self._framing.splitter()
            self.connection.send(octets)
        except ConnectionLost as lost:
            self._lose(str(lost))

    def read(self) -> None:
        assert self.connection is not None
        try:
            data = self.connection.receive()
        except ConnectionLost as lost:
            self._lose(str(lost))
            return
        now = time.perf_counter_ns()
        for message in self._splitter.feed(data):
            self.ledger.settle(message, 0, len(message), now)
        if self._splitter.failure is not None:
            self._lose(f"the stream cannot be read: {self._splitter.failure}")

    def write(self) -> None:
        assert self.connection is not None
        try:
            self.connection.flush()
        except ConnectionLost as lost:
            self._lose(str(lost))

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def _lose(self, reason: str) -> None:
        self.close()
        self.ledger.abandon(reason)
