"""Requests under way, and which reply belongs to which: by id, packet by packet."""

from __future__ import annotations

import random
from typing import Final

from load_tests.recorder import Recorder
from load_tests.requests.template import Kind, Template, Wire

#: Handle servers write an id of all ones where they could not read the request's.
_HIGHEST_ID: Final = 0x7FFF_FFFF

#: Template, intended send time, real send time.
_Entry = tuple[Template, int, int]


class Ledger:
    """Matches the replies of one socket or connection. Times are nanoseconds.

    A request without a whole reply `patience` nanoseconds after it was sent is given up as lost.
    """

    def __init__(self, wire: Wire, recorder: Recorder, patience: int) -> None:
        self._id_at = wire.id_at
        self._unpack = wire.id.unpack_from
        self._part_at = wire.part_at
        self._least = max(wire.id_at + wire.id.size, (wire.part_at or 0) + 1)
        self._id_mask = min(_HIGHEST_ID, (1 << 8 * wire.id.size) - 1)
        self._next_id = random.randrange(self._id_mask)
        self._recorder = recorder
        self._patience = patience
        self._open: dict[int, _Entry] = {}
        #: The packets that have come, as bits, of replies that need more than one.
        self._come: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._open)

    def open(self, template: Template, intended: int, now: int) -> int | None:
        """The id to send a request with; None if all are in use."""
        ident = self._next_id = (self._next_id + 1) & self._id_mask
        if ident in self._open:
            self._recorder.tally.unsent += 1
            return None
        self._open[ident] = (template, intended, now)
        self._recorder.sent(intended, now, len(template.request))
        return ident

    def settle(self, data: bytes | bytearray, at: int, size: int, now: int) -> None:
        """Take the packet of `size` octets at `at`."""
        tally = self._recorder.tally
        tally.octets_received += size
        ident = self._unpack(data, at + self._id_at)[0] if size >= self._least else -1
        entry = self._open.get(ident)
        if entry is None:
            tally.strays += 1
            return
        number = 0 if self._part_at is None else data[at + self._part_at]
        verdict = entry[0].check(number, data, at, size)
        if verdict.kind is Kind.RIGHT:
            self._came(ident, entry, number, now)
        else:
            del self._open[ident]
            self._come.pop(ident, None)
            self._recorder.failed(verdict.kind, verdict.reason, bytes(data[at : at + size]))

    def expire(self, now: int) -> None:
        """Give up what has waited too long."""
        before = now - self._patience
        late = []
        for ident, (_, _, sent_at) in self._open.items():
            if sent_at > before:
                break
            late.append(ident)
        for ident in late:
            self._give_up(ident, "no reply" if ident not in self._come else "a part is missing")

    def abandon(self, reason: str) -> None:
        """Give up everything."""
        for ident in list(self._open):
            self._give_up(ident, reason)

    def _give_up(self, ident: int, reason: str) -> None:
        del self._open[ident]
        self._come.pop(ident, None)
        self._recorder.lost(reason)

    def _came(self, ident: int, entry: _Entry, number: int, now: int) -> None:
        """A packet is as it must be."""
        template, intended, sent_at = entry
        packets = len(template.parts)
        if packets > 1:
            come = self._come.get(ident, 0)
            if come >> number & 1:
                self._recorder.tally.strays += 1
                return
            come |= 1 << number
            if come + 1 != 1 << packets:
                self._come[ident] = come
                return
            self._come.pop(ident, None)
        del self._open[ident]
        self._recorder.right(intended, sent_at, now)
