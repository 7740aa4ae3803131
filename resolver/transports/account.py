"""What became of the requests of a protocol: each is counted when it comes, and when it ends.

received = answered + refused + sum(dropped) + waiting, at any moment.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

#: Why a request is dropped -> what that means; a closed set of label values.
REASONS: Final = {
    "aged": "its sender has given up on it",
    "backlog": "it was the oldest of more than can be kept",
    "crowded": "too many others of its source, or of all, wait for a store or another node",
    "ended": "the node, or the client's connection, ended first",
    "failed": "an answer could not be made",
    "unanswerable": "junk, a reply, a part of a message, or beyond the source's reflection budget",
    "uncached": "no reply was kept for it, and those that had one went first",
    "unsent": "the answer could not be sent",
}


class Account:
    """The requests of one protocol on one port.

    `refused` are those told that the node is overloaded; `dropped` is keyed by one of REASONS;
    `waiting` are under way.
    """

    __slots__ = ("answered", "dropped", "received", "refused", "waiting")

    def __init__(self) -> None:
        self.received = self.answered = self.refused = self.waiting = 0
        self.dropped: Counter[str] = Counter()

    @property
    def done(self) -> int:
        """Those that were answered, or looked at and put off: as many as there is time for."""
        return self.answered + self.dropped["uncached"]
