"""An encoded request that is sent many times, and how its reply is checked.

The check of every reply is the comparison of a few ranges of octets. Only a reply that differs is
taken apart, to say whether it is wrong, a refusal, or right in another form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from struct import Struct
from typing import Final, NamedTuple


class Kind(Enum):
    """What a reply is worth."""

    RIGHT = "right"
    #: Success with the wrong contents, or a denial of what exists.
    WRONG = "wrong"
    #: The server says that it cannot or will not.
    REFUSED = "refused"


class Part(NamedTuple):
    """A packet of the right reply: its size, and the octets that must stand at some offsets."""

    size: int
    ranges: tuple[tuple[int, bytes], ...]


class Verdict(NamedTuple):
    """What taking a reply apart gave. `part` is what a repetition of the right reply looks like."""

    kind: Kind
    reason: str = ""
    part: Part | None = None


AS_EXPECTED: Final = Verdict(Kind.RIGHT)
Judge = Callable[[int, bytes], Verdict]


@dataclass(slots=True, eq=False)
class Template:
    """A request and its expected reply in one or more packets.

    `judge` takes a packet (its number, its octets) that is not as in `parts`. A part of size -1 is
    not known yet: the first right reply tells it.
    """

    request: bytes
    parts: list[Part]
    judge: Judge

    def check(self, number: int, data: bytes | bytearray, at: int, size: int) -> Verdict:
        """What packet `number` of a reply, `size` octets of the data at `at`, is worth."""
        if number < len(self.parts):
            expected, ranges = self.parts[number]
            if size == expected:
                for offset, octets in ranges:
                    if not data.startswith(octets, at + offset, at + size):
                        break
                else:
                    return AS_EXPECTED
        verdict = self.judge(number, bytes(data[at : at + size]))
        if verdict.part is not None:
            self.parts[number] = verdict.part
        return verdict


@dataclass(frozen=True, slots=True)
class Wire:
    """Where messages of a protocol have their id, and the number of a packet of a reply.

    `part_at` is the offset of the octet with that number, None where replies are single packets.
    """

    name: str
    id_at: int
    id: Struct
    part_at: int | None = None


#: A part before the first reply.
UNKNOWN: Final = Part(-1, ())
