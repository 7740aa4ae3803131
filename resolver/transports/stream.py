"""One TCP connection: messages in, replies out, neither held without bound.

What its peer may make a node keep is one read of the socket's worth of messages, MAX_WAITING
answers under way, and what the transport holds of replies that the peer does not take in: before
there is more of them, nothing further is read or served.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable
from typing import Any, Final, cast

from registry.errors import DecodeError
from resolver.transports.connections import Admission
from resolver.transports.pace import Pace
from resolver.transports.stream_service import Reply, Service

#: Requests of one connection that may wait for an answer.
MAX_WAITING: Final = 64
#: Requests that one connection is served before the others have their turn.
TURN: Final = 16
#: A reply of more octets is written at once, so that a turn gathers no more than as many of these.
SMALL: Final = 4096


class StreamConnection(asyncio.Protocol):
    """A `connections.Peer`. Messages that have come and are not served yet are in a queue."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._account = service.account
        self._splitter = service.splitter()
        self._queue: deque[bytes] = deque()
        #: Replies that go out with one write at the end of a turn.
        self._gathered: list[bytes] = []
        self._transport: asyncio.Transport
        self._context: Any = None
        self._source = ""
        self._refused = False
        self._ending = False
        self._reading = True
        self._turn_comes = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._loop = asyncio.get_running_loop()
        self._pace = Pace(service.patience, self._loop.time())
        self._waiting: set[asyncio.Future[Reply]] = set()

    # --- connections.Peer ---

    @property
    def resting_since(self) -> float | None:
        pace = self._pace
        return None if self._busy or pace.stalled is not None else pace.active

    def is_late(self, now: float) -> bool:
        return self._pace.is_late(now, busy=self._busy, refused=self._refused)

    def end(self) -> None:
        if self._pace.stalled is not None:
            self._transport.abort()  # it would never take in the rest
        else:
            self._cut_off()
            self._transport.close()

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername") or ("",)
        self._source = str(peer[0])
        self._context = self._service.connected(peer, self.send)
        admission = self._service.connections.admit(self, self._source)
        self._refused = admission is Admission.REFUSED
        if admission is Admission.CLOSED:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._service.connections.forget(self)
        self._account.waiting -= len(self._queue)
        self._account.dropped["ended"] += len(self._queue)
        self._queue.clear()
        for future in list(self._waiting):
            future.cancel()

    def data_received(self, data: bytes) -> None:
        messages = self._splitter.feed(data)
        count = len(messages)
        self._pace.came(self._loop.time(), len(data), count, self._splitter.held)
        self._account.received += count
        self._account.waiting += count
        self._queue += messages
        self._work()

    def eof_received(self) -> bool:
        self._cut_off()
        self._ending = True
        return self._busy

    def pause_writing(self) -> None:
        self._pace.stalled = self._loop.time()
        self._writable.clear()
        self._flow()

    def resume_writing(self) -> None:
        self._pace.stalled = None
        self._writable.set()
        self._work()

    # --- its own ---

    async def send(self, message: bytes) -> None:
        """Send a message as soon as the peer has taken in most of those before it."""
        await self._writable.wait()
        if not self._transport.is_closing():
            self._transport.write(message)

    @property
    def _busy(self) -> bool:
        return bool(self._waiting or self._queue)

    @property
    def _full(self) -> bool:
        """Whether the peer has to take in, or wait for, answers before it is served more."""
        return self._pace.stalled is not None or len(self._waiting) >= MAX_WAITING

    def _work(self) -> None:
        """Serve what is in the queue, as far as the peer's and the others' turns allow."""
        self._turn_comes = False
        queue = self._queue
        for _ in range(TURN):
            if not queue or self._full:
                break
            self._serve(queue.popleft())
        self._flush()
        if queue or self._waiting or self._ending or not self._reading:
            self._look_ahead()
        elif self._splitter.failure is not None:
            self._give_up(self._splitter.failure)

    def _look_ahead(self) -> None:
        """Have what is left served in time, and read no more than that; or end, if it is time."""
        if self._queue and not self._full and not self._turn_comes:
            self._turn_comes = True
            self._loop.call_soon(self._work)
        self._flow()
        if not self._queue and self._splitter.failure is not None:
            self._give_up(self._splitter.failure)
        elif self._ending and not self._busy:
            self._transport.close()

    def _flow(self) -> None:
        """Read only what can be served."""
        reading = not (self._queue or self._full)
        if reading != self._reading and not self._ending and not self._transport.is_closing():
            self._reading = reading
            if reading:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def _serve(self, message: bytes) -> None:
        service = self._service
        places = service.under_way
        if self._refused or (places.taken and not places.has_room(self._source)):
            self._refuse(message)
            return
        reply = service.serve(message, self._context)
        if reply is None or isinstance(reply, bytes):
            self._account.answered += self._conclude(reply)
        else:
            self._wait(reply)

    def _refuse(self, message: bytes) -> None:
        service = self._service
        self._account.refused += self._conclude(service.busy(message, self._context))
        if self._refused:
            self._flush()
            self._transport.close()

    def _wait(self, reply: Awaitable[Reply]) -> None:
        self._service.under_way.take(self._source)
        future = asyncio.ensure_future(reply)
        self._waiting.add(future)
        self._service.waiting.add(future)
        future.add_done_callback(self._answer)

    def _answer(self, done: asyncio.Future[Reply]) -> None:
        self._waiting.discard(done)
        self._service.waiting.discard(done)
        self._service.under_way.give_back(self._source)
        self._pace.active = self._loop.time()
        if done.cancelled():
            self._drop("ended")
        elif error := done.exception():
            self._drop("failed")
            self._loop.call_exception_handler(
                {"message": "a request's answer failed", "exception": error}
            )
            self._transport.close()
        else:
            self._account.answered += self._conclude(done.result())
            self._work()

    def _conclude(self, reply: Reply) -> bool:
        """Send the reply to a request; False if there is none, or nobody to send it to."""
        if reply is None or self._transport.is_closing():
            self._drop("unanswerable" if reply is None else "ended")
            return False
        self._account.waiting -= 1
        self._gathered.append(reply)
        if len(reply) > SMALL:
            self._flush()
        return True

    def _flush(self) -> None:
        """Write the replies gathered, with one system call."""
        if self._gathered:
            self._transport.write(b"".join(self._gathered))
            self._gathered.clear()

    def _drop(self, reason: str) -> None:
        self._account.waiting -= 1
        self._account.dropped[reason] += 1

    def _give_up(self, error: DecodeError) -> None:
        """The last words on what is no request, and after which none can follow."""
        if not self._transport.is_closing():
            self._account.received += 1
            self._account.waiting += 1
            self._account.answered += self._conclude(self._service.on_garbage(error))
            self._flush()
            self._transport.close()

    def _cut_off(self) -> None:
        """The peer sends no more, or too slowly: what it has begun is no request any more."""
        try:
            self._splitter.finish()
        except DecodeError as error:
            self._give_up(error)
