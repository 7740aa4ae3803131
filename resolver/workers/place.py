"""Where the processes of a node meet: Unix sockets in its directory, whatever its path's length."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

#: The frames of `resolver.codecs.link`.
LINK: Final = "link.sock"
#: HTTP requests that workers hand on.
HTTP: Final = "http.sock"


class Place:
    """A directory whose sockets have short addresses; to be closed.

    The address of a Unix socket has 107 octets at most, a path may be longer: the directory is
    addressed by an open descriptor.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def address(self, name: str) -> str:
        """The address of a socket in the directory, for as long as this is open."""
        return f"/proc/self/fd/{self._directory}/{name}"

    def protect(self, name: str) -> None:
        """Have a socket open to the node's user alone, whatever becomes of the directory."""
        os.chmod(self.address(name), 0o600)  # noqa: PTH101 - it is no path

    def remove(self, name: str) -> None:
        """Take a socket away that nobody listens on any more: copies of the directory are plain."""
        with suppress(FileNotFoundError):
            os.unlink(self.address(name))  # noqa: PTH108 - it is no path

    def close(self) -> None:
        os.close(self._directory)
