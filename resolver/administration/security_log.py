"""Refused authentications for those who watch the node: one line each, and never a secret.

What is logged is bounded in lines a second: a flood must not fill the disk or hold up answers. How
many lines were left out is said with the next one.
"""

from __future__ import annotations

import logging
from typing import Final

from registry.errors import Refusal
from registry.rights import Identity

_log = logging.getLogger("resolver.security")

#: Lines that may come at once, and how many a second after that.
BURST: Final = 50.0
LINES_A_SECOND: Final = 10.0
#: Longest part of a name that is shown.
_SHOWN: Final = 120


class SecurityLog:
    """Writes to the logger `resolver.security` at level WARNING; times are monotonic seconds."""

    def __init__(self) -> None:
        self._left = BURST
        self._then = 0.0
        self.suppressed = 0

    def refused(
        self, source: str, identity: Identity | None, operation: str, refusal: Refusal, now: float
    ) -> None:
        """One refused attempt: from where, as whom, to do what, and why."""
        self._left = min(BURST, self._left + (now - self._then) * LINES_A_SECOND)
        self._then = now
        if self._left < 1:
            self.suppressed += 1
            return
        self._left -= 1
        left_out, self.suppressed = self.suppressed, 0
        _log.warning(
            "refused %s from %s as %r: %s (%d)%s",
            operation,
            source,
            str(identity or "nobody")[:_SHOWN],
            refusal.outcome.title,
            refusal.outcome.handle,
            f"; {left_out} lines left out" if left_out else "",
        )
