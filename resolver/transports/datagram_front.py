"""What a UDP socket is in front of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from resolver.transports.slots import Field
from resolver.transports.waiting import Address, Replies

#: Whether requests that no reply is kept for are served, told for how many of how many one is.
Admits = Callable[[int, int], bool]


def ALL(kept: int, asked: int) -> bool:  # noqa: N802 - a constant answer
    """All are."""
    return True


class Senders(Protocol):
    """Who sent some datagrams."""

    def hosts(self) -> Sequence[str]:
        """The host of each."""
        ...

    def distinct_hosts(self) -> set[str]:
        """The same, each of them once, which is found sooner."""
        ...


class DatagramFront(Protocol):
    """What a batch is put to.

    `masked` are the fields in which repeats of a request differ, first the id, which the answer has
    in the same place. Packets have at most `segment` octets each, where that is not 0.
    """

    @property
    def masked(self) -> Sequence[Field]: ...

    @property
    def segment(self) -> int: ...

    def at_once(
        self, datagrams: Sequence[bytes], senders: Senders, now: float, admits: Admits = ALL
    ) -> tuple[Sequence[bytes | None], int]:
        """The answer to each masked datagram that can be had at once, counted, and how many can.

        It is all of its packets one after another, at most `answers.SLOT` octets. Those that no
        answer is kept for have one only where `admits` says so.
        """
        ...

    def answered(self, count: int, seconds: float) -> None:
        """So many of them went out so long after they were taken in."""
        ...

    def datagram(self, data: bytes, peer: Address) -> Replies | Awaitable[Replies]:
        """The answer to any datagram."""
        ...

    def unsent(self, count: int) -> None:
        """So many answers could not be sent."""
        ...
