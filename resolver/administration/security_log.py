"""Refused authentications for those who watch the node: a JSON object a line, and never a secret.

What is logged is bounded in lines a second: a flood must not fill the disk or hold up answers. How
many lines were left out is said with the next one.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Final

from registry.clock import Clock
from registry.errors import Refusal
from registry.membership import Identity

_log = logging.getLogger("resolver.security")

#: Lines that may come at once, and how many a second after that.
BURST: Final = 50.0
LINES_A_SECOND: Final = 10.0
#: Longest part of a name that is shown, in characters.
_SHOWN: Final = 120


class SecurityLog:
    """Writes to the logger `resolver.security` at level WARNING.

    A message is one line of ASCII whatever names are in it, with the members `time` (ISO 8601, UTC,
    of `clock`), `event`, `operation`, `source`, `administrator` (null: nobody was named), `code`
    and `reason`, and `left_out` where lines before it were.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left = BURST
        self._then = clock.monotonic()
        self.suppressed = 0

    def refused(
        self, source: str, identity: Identity | None, operation: str, refusal: Refusal
    ) -> None:
        """One refused attempt: from where, as whom, to do what, and why."""
        now = self._clock.monotonic()
        self._left = min(BURST, self._left + (now - self._then) * LINES_A_SECOND)
        self._then = now
        if self._left < 1:
            self.suppressed += 1
            return
        self._left -= 1
        left_out, self.suppressed = self.suppressed, 0
        said = {
            "time": datetime.fromtimestamp(self._clock.now(), UTC).isoformat(timespec="seconds"),
            "event": "refused",
            "operation": operation,
            "source": source,
            "administrator": None if identity is None else str(identity)[:_SHOWN],
            "code": refusal.outcome.handle,
            "reason": refusal.outcome.title,
        }
        _log.warning("%s", json.dumps(said | ({"left_out": left_out} if left_out else {})))
