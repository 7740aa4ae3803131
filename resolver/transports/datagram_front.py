"""What a UDP socket is in front of."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Protocol

from resolver.transports.slots import Field
from resolver.transports.waiting import Address, Replies


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
        self, datagrams: Sequence[bytes], hosts: Sequence[str], now: float
    ) -> list[bytes | None]:
        """The answer to each masked datagram from each host, counted, where it can be had at once.

        It is all of its packets one after another, at most `slots.SLOT` octets.
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
