"""Prefixes that enterprises applied for, and where each of them stands."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from itertools import count
from typing import Final, NamedTuple

from registry.errors import InvalidIdentifier, InvalidValue
from registry.prefixes.life import PrefixState
from registry.schemes.handle import HandleRules, ascii_upper, check_prefix, parent

#: The first code for an enterprise that asks for none in particular.
FIRST_CODE: Final = 1001


class Hosting(StrEnum):
    """Who answers for a prefix."""

    HOSTED = "hosted"  # the sector node
    SELF_HOSTED = "self-hosted"  # a node of the enterprise's own


class Allocation(NamedTuple):
    """A prefix and the enterprise that applied for it or has it.

    `since` is when it came into its state, Unix milliseconds. `receiver` is the enterprise it is
    offered to while it is transferring. `site` is the HS_SITE data of the enterprise's own node, or
    empty. `submission` names the application to the national node. `problem` says what the last
    attempt to take it on met with, empty if nothing.
    """

    prefix: str
    enterprise: str
    state: PrefixState
    hosting: Hosting
    since: int
    receiver: str = ""
    site: bytes = b""
    submission: str = ""
    problem: str = ""


def check_wanted(sector: str, prefix: str, rules: HandleRules) -> str:
    """The canonical form of a prefix that an enterprise may apply for at a sector node.

    Raises InvalidValue: it is one segment under the sector's prefix, follows the digit rules of the
    topology, and has no zero in front, so that no two prefixes look like the same number.
    """
    canonical = ascii_upper(prefix)
    if parent(canonical) != sector:
        raise InvalidValue(f"the prefix is one segment under {sector}", field="prefix")
    code = canonical.rpartition(".")[2]
    try:
        check_prefix(canonical, rules)
    except InvalidIdentifier as error:
        raise InvalidValue(error.message, field="prefix") from None
    if code.startswith("0"):
        raise InvalidValue("an enterprise code has no zero in front", field="prefix")
    return canonical


def next_free(sector: str, taken: Collection[str]) -> str:
    """The first prefix under the sector's that nobody has or had."""
    return next(prefix for code in count(FIRST_CODE) if (prefix := f"{sector}.{code}") not in taken)
