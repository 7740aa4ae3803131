"""Who did what to an enterprise or a prefix, as the management API shows it."""

from __future__ import annotations

import msgspec

from registry.enterprises.milestones import Milestone
from registry.storage.interface import Reads
from registry.values.json_form import iso_time


class MilestoneView(msgspec.Struct, omit_defaults=True):
    """One step: `entry` is its number in the audit log, `state` what it led to."""

    entry: int
    operation: str
    state: str
    time: str
    by: str
    reason: str = ""


async def milestones_of(reads: Reads, subject: str) -> list[MilestoneView]:
    """The steps of an enterprise or a prefix, oldest first."""
    return [_view(each) for each in await reads.dossiers(Milestone, subject=subject)]


def shown_time(milliseconds: int) -> str:
    """A time as RFC 3339 writes it, in seconds."""
    return iso_time(milliseconds // 1000)


def _view(step: Milestone) -> MilestoneView:
    return MilestoneView(
        step.number, step.operation, step.state, shown_time(step.time), step.actor, step.reason
    )
