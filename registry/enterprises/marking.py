"""A dossier moved on: stored with the audit entry and the milestone that tell of it."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from registry.audit.ledger import Writing
from registry.audit.log import Actor, Event, Note, record_digest
from registry.enterprises.milestones import Milestone


class Moving(Protocol):
    """A dossier with a state."""

    @property
    def state(self) -> str: ...

    def _asdict(self) -> dict[str, Any]: ...


async def mark(
    writing: Writing,
    actor: Actor,
    event: Event,
    subject: str,
    before: Moving | None,
    after: Moving,
    reason: str = "",
) -> None:
    """Store `after` in the place of `before`, and who made it so, when and why."""
    number = writing.note(Note(event, actor, subject, _digest(before), _digest(after)))
    operation = event.partition(":")[2]
    milestone = Milestone(subject, number, operation, after.state, writing.time, actor.name, reason)
    await writing.transaction.file([after, milestone])


def _digest(dossier: Moving | None) -> bytes:
    return record_digest(None if dossier is None else msgspec.json.encode(dossier))
