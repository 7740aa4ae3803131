"""A TCP service in a thread: bytes in, bytes out, to be leaned on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Made for each connection: gets what arrived, gives what to send; None closes the connection.
Conversation = Callable[[bytes], bytes | None]


class StreamService:
    """`connections` counts those that were accepted."""

    def __init__(self, converse: Callable[[], Conversation]) -> None:
        self._converse = converse
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self.connections = 0
        self._threads[0].start()

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._listener.getsockname()
        return host, port

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        converse = self._converse()
        with connection:
            try:
                while data := connection.recv(65_536):
                    if (reply := converse(data)) is None:
                        return
                    connection.sendall(reply)
            except OSError:
                return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        for connection in self._open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads[1:]:
            thread.join()


@contextmanager
def stream_service(converse: Callable[[], Conversation]) -> Iterator[StreamService]:
    """A service that ends with the block."""
    service = StreamService(converse)
    try:
        yield service
    finally:
        service.close()
