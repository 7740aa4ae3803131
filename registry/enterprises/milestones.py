"""Who took an enterprise or a prefix from one state to the next, when and why."""

from __future__ import annotations

from typing import NamedTuple


class Milestone(NamedTuple):
    """One step of `subject`, the number of an enterprise or a prefix.

    `number` is that of the audit entry that tells of it, `time` Unix milliseconds; `state` is the
    one it led to. `reason` is what was said with it, often nothing.
    """

    subject: str
    number: int
    operation: str
    state: str
    time: int
    actor: str
    reason: str = ""
