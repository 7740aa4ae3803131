"""Which prefixes a node may speak of: compared by segments, never by characters.

`88.9` is not above `88.901`. The empty prefix is the root's, above everything.
"""

from __future__ import annotations

from typing import Final

from registry.schemes.handle import PREFIX_RECORDS, Key, parent

ROOT: Final = ""


def home(key: Key) -> str:
    """The prefix whose node holds the identifier: the record of a prefix lies with its parent."""
    if key.prefix != PREFIX_RECORDS:
        return key.prefix
    if key.suffix == PREFIX_RECORDS:
        return ROOT
    return parent(key.suffix) or ROOT


def depth(prefix: str) -> int:
    """Number of segments, 0 for the root."""
    return prefix.count(".") + 1 if prefix else 0


def covers(zone: str, prefix: str) -> bool:
    """Whether `prefix` is `zone` itself or lies below it."""
    return zone in (ROOT, prefix) or prefix.startswith(f"{zone}.")


def may_refer(zone: str, target: str, subject: str) -> bool:
    """Whether a node of `zone`, asked about `subject`, may name `target` as the next to ask.

    It must lead strictly downwards and towards the subject: that bounds every chain of referrals by
    the length of the prefix, and keeps a node from speaking for its neighbours or for those above.
    """
    return target != zone and covers(zone, target) and covers(target, subject)


def leads_back(zone: str, target: str) -> bool:
    """Whether a referral goes to the zone that was asked or above it, that is, in a circle."""
    return covers(target, zone)


def next_below(zone: str, subject: str) -> str | None:
    """The prefix one segment below `zone` on the way to `subject`; None where the way ends.

    A prefix referral (303) does not say for which ancestor its values are; this is the highest it
    can be, so whatever follows is still held to leading downwards.
    """
    if zone == subject or not covers(zone, subject):
        return None
    return ".".join(subject.split(".")[: depth(zone) + 1])
