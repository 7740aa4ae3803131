"""HTTP/1.1 requests over connections that are kept, one request under way on each.

Requests that find every connection taken wait, which counts into their latency: the arrivals of an
open loop do not wait for the target.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from load_tests.connection import Connection, ConnectionLost
from load_tests.recorder import Recorder
from load_tests.requests.http_reply import NotHttp, Reply, ReplyReader
from load_tests.requests.template import Kind, Template


@dataclass(slots=True)
class _Exchange:
    """A request, when it was due, and when it was put on its connection."""

    template: Template
    intended: int
    picked: int
    sent_at: int = 0


@dataclass(slots=True, eq=False)
class _Lane:
    """A connection and what is under way on it."""

    connection: Connection
    reader: ReplyReader = field(default_factory=ReplyReader)
    exchange: _Exchange | None = None


class HttpConnections:
    """The carrier for HTTP, with at most so many connections, opened as they are needed."""

    def __init__(
        self, host: str, port: int, recorder: Recorder, patience: int, connections: int
    ) -> None:
        self._target = (host, port)
        self._recorder = recorder
        self._patience = patience
        self._most = connections
        self._lanes: dict[int, _Lane] = {}
        self._idle: list[_Lane] = []
        self._waiting: deque[_Exchange] = deque()

    @property
    def under_way(self) -> int:
        return len(self._lanes) - len(self._idle) + len(self._waiting)

    def readers(self) -> Sequence[int]:
        return list(self._lanes)

    def writers(self) -> Sequence[int]:
        return [fd for fd, lane in self._lanes.items() if lane.connection.wants_to_write]

    def send(self, intended: list[int], templates: Iterator[Template], now: int) -> None:
        for due in intended:
            template = next(templates)
            self._recorder.sent(due, now, len(template.request))
            self._waiting.append(_Exchange(template, due, now))
        self._put_on_idle()

    def read(self, fd: int) -> None:
        if (lane := self._lanes.get(fd)) is None:
            return
        try:
            data = lane.connection.receive()
            self._recorder.tally.octets_received += len(data)
            reply = lane.reader.feed(data)
        except (ConnectionLost, NotHttp) as error:
            self._lose(lane, str(error))
            return
        if reply is not None:
            self._settle(lane, reply)
            self._put_on_idle()

    def write(self, fd: int) -> None:
        if (lane := self._lanes.get(fd)) is None:
            return
        try:
            lane.connection.flush()
        except ConnectionLost as lost:
            self._lose(lane, str(lost))

    def expire(self, now: int) -> None:
        before = now - self._patience
        while self._waiting and self._waiting[0].picked <= before:
            self._waiting.popleft()
            self._recorder.lost("no connection became free")
        for lane in list(self._lanes.values()):
            if lane.exchange is not None and lane.exchange.sent_at <= before:
                self._lose(lane, "no reply")
        self._put_on_idle()

    def close(self) -> None:
        for lane in self._lanes.values():
            lane.connection.close()
        self._lanes.clear()
        self._idle.clear()

    def _put_on_idle(self) -> None:
        """Send what waits, as far as there are connections."""
        while self._waiting and (lane := self._free_lane()) is not None:
            exchange = lane.exchange = self._waiting.popleft()
            exchange.sent_at = time.perf_counter_ns()
            try:
                lane.connection.send(exchange.template.request)
            except ConnectionLost as lost:
                self._lose(lane, str(lost))

    def _free_lane(self) -> _Lane | None:
        if self._idle:
            return self._idle.pop()
        if len(self._lanes) >= self._most:
            return None
        try:
            lane = _Lane(Connection(*self._target))
        except ConnectionLost as lost:
            while self._waiting:
                self._waiting.popleft()
                self._recorder.lost(str(lost))
            return None
        self._lanes[lane.connection.fd] = lane
        return lane

    def _settle(self, lane: _Lane, reply: Reply) -> None:
        exchange, lane.exchange = lane.exchange, None
        if reply.closes:
            self._drop(lane)
        else:
            self._idle.append(lane)
        if exchange is None:
            self._recorder.tally.strays += 1
            return
        content = reply.content
        verdict = exchange.template.check(0, content, 0, len(content))
        if verdict.kind is Kind.RIGHT:
            now = time.perf_counter_ns()
            self._recorder.right(exchange.intended, exchange.sent_at, now)
        else:
            self._recorder.failed(verdict.kind, verdict.reason, content)

    def _lose(self, lane: _Lane, reason: str) -> None:
        """The connection is of no use any more; what was under way on it has no reply."""
        if lane.exchange is not None:
            lane.exchange = None
            self._recorder.lost(reason)
        elif lane in self._idle:
            self._idle.remove(lane)
        self._drop(lane)

    def _drop(self, lane: _Lane) -> None:
        del self._lanes[lane.connection.fd]
        lane.connection.close()
