"""What carries requests to the target: the generator sees nothing of it but this."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from load_tests.requests.template import Template


class Carrier(Protocol):
    """Sockets with requests under way on them. Times are nanoseconds of the monotonic clock."""

    @property
    def under_way(self) -> int:
        """Requests sent, or waiting to be, that have neither an answer nor been given up."""
        ...

    def readers(self) -> Sequence[int]:
        """File descriptors to wait on for replies."""
        ...

    def writers(self) -> Sequence[int]:
        """File descriptors that are full, with more to be written."""
        ...

    def send(self, intended: list[int], templates: Iterator[Template], now: int) -> None:
        """Send a request for each of the intended times."""
        ...

    def read(self, fd: int) -> None:
        """Take what has come on a descriptor."""
        ...

    def write(self, fd: int) -> None:
        """Write on where there is room again."""
        ...

    def expire(self, now: int) -> None:
        """Give up what has waited too long."""
        ...

    def close(self) -> None:
        """Count what the sockets know, and close them."""
        ...
