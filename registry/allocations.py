"""Prefixes that enterprises applied for, and where each of them stands."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from registry.prefix_life import PrefixState


class Hosting(StrEnum):
    """Who answers for a prefix."""

    HOSTED = "hosted"  # the sector node
    SELF_HOSTED = "self-hosted"  # a node of the enterprise's own


class Allocation(NamedTuple):
    """A prefix and the enterprise that applied for it or has it.

    `since` is when it came into its state, Unix milliseconds. `receiver` is the enterprise it is
    offered to while it is transferring. `site` is the HS_SITE data of the enterprise's own node, or
    empty. `problem` says what the last attempt to take it on met with, empty if nothing.
    """

    prefix: str
    enterprise: str
    state: PrefixState
    hosting: Hosting
    since: int
    receiver: str = ""
    site: bytes = b""
    problem: str = ""
