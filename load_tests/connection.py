"""A TCP connection that never blocks: what does not fit into it waits here."""

from __future__ import annotations

import errno
import os
import socket
from typing import Final

_READ_SIZE: Final = 262_144


class ConnectionLost(Exception):  # noqa: N818 - it is what happened
    """The connection is gone, or never came about; str() says how."""


class Connection:
    """Opens at once, without waiting for the other end."""

    def __init__(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unsent = bytearray()
        self._connecting = True
        self.fd = self._socket.fileno()
        code = self._socket.connect_ex((host, port))
        if code not in (0, errno.EINPROGRESS):
            self.close()
            raise ConnectionLost(os.strerror(code))

    @property
    def wants_to_write(self) -> bool:
        return bool(self._unsent)

    def send(self, data: bytes | bytearray) -> None:
        """Write, or keep what does not fit. Raises ConnectionLost."""
        self._unsent += data
        if not self._connecting:
            self.flush()

    def flush(self) -> None:
        """Write what was kept, as far as it fits. Raises ConnectionLost."""
        self._connecting = False
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError as error:
            raise ConnectionLost(_reason(error)) from None
        del self._unsent[:sent]

    def receive(self) -> bytes:
        """What has come, which may be nothing. Raises ConnectionLost."""
        try:
            data = self._socket.recv(_READ_SIZE)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise ConnectionLost(_reason(error)) from None
        if not data:
            raise ConnectionLost("connection closed by the target")
        return data

    def close(self) -> None:
        self._socket.close()


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
