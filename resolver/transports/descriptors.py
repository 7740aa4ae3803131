"""File descriptors: how many connections all listeners of a process may have together."""

from __future__ import annotations

import resource
from typing import Final

#: Descriptors left for stores, listeners, and connections to other nodes.
RESERVE: Final = 256
#: More than that is never asked for.
_MOST: Final = 65_536


def raise_limit() -> None:
    """Let the process have as many open files as the system lets it ask for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST if hard == resource.RLIM_INFINITY else min(_MOST, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def for_connections() -> int:
    """How many connections the process may have."""
    return max(0, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - RESERVE)


class Open:
    """The connections of a process."""

    def __init__(self) -> None:
        self.count = 0

    @property
    def is_full(self) -> bool:
        return self.count >= for_connections()


#: Those of this one.
PROCESS: Final = Open()
