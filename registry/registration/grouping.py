"""What comes of changes that are committed together: rules only, nothing is stored.

Changes are decided in their order, each on what those before it left. What they leave is rows to
write, rows to archive, and a note on each for the audit log.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from registry.audit.log import Actor, Event, Note, record_digest
from registry.errors import IdempotencyMismatch, InvalidValue, PrefixNotHomed, Refusal
from registry.quotas.quota import RegistrationMeter
from registry.registration.changes import Change, check_size, decide
from registry.registration.lifecycle import Operation
from registry.schemes.handle import Key
from registry.storage.interface import ACTIVE, Ended, KeptOutcome, Row, is_counted

#: Called with an identifier before and after a change; raises Refusal.
Check: TypeAlias = Callable[[Row | None, Row | None], None]
#: Makes a record one that also has the node's own signature: identifier, record, Unix time.
Seal: TypeAlias = Callable[[Key, bytes, int], bytes]

_EVENTS: Final = {
    Operation.RESERVE: Event.IDENTIFIER_RESERVED,
    Operation.REGISTER: Event.IDENTIFIER_CREATED,
    Operation.UPDATE: Event.IDENTIFIER_CHANGED,
    Operation.HOLD: Event.IDENTIFIER_HELD,
    Operation.RELEASE: Event.IDENTIFIER_RELEASED,
    Operation.REVOKE: Event.IDENTIFIER_REVOKED,
    Operation.RESTORE: Event.IDENTIFIER_RESTORED,
    Operation.DELETE: Event.IDENTIFIER_DELETED,
}


class Once(NamedTuple):
    """An idempotency key, and what it was sent with: SHA-256 of both."""

    key: bytes
    request: bytes


class Asked(NamedTuple):
    """A change, who makes it, and under which idempotency key."""

    change: Change
    actor: Actor
    once: Once | None = None


class Done(NamedTuple):
    """A change that is durable: the identifier before and after it, None where there is none."""

    event: Event
    before: Row | None
    after: Row | None

    @property
    def created(self) -> bool:
        return self.event is Event.IDENTIFIER_CREATED

    @property
    def receipt(self) -> Receipt:
        version = None if self.after is None else self.after.version
        return Receipt(self.created, version)


class Receipt(NamedTuple):
    """What is remembered of a change made under an idempotency key (no version: it is gone)."""

    created: bool
    version: int | None

    def __str__(self) -> str:
        return f"{int(self.created)} {self.version or ''}"

    @classmethod
    def read(cls, text: str) -> Receipt:
        """The receipt that was written so."""
        created, _, version = text.partition(" ")
        return cls(created == "1", int(version) if version else None)


Verdict: TypeAlias = Done | Receipt | Refusal


class Decided(NamedTuple):
    """The verdict on each change of a group, and the rows it leaves (None: the row is gone)."""

    verdicts: list[Verdict]
    rows: dict[Key, Row | None]

    @property
    def steps(self) -> list[tuple[Row | None, Row | None]]:
        """Every change that is made: the identifier before and after it."""
        return [(each.before, each.after) for each in self.verdicts if isinstance(each, Done)]


class Stored(NamedTuple):
    """What the store has of the identifiers and idempotency keys of a group."""

    rows: Mapping[Key, Row] = {}
    last_versions: Mapping[Key, int] = {}
    outcomes: Mapping[bytes, KeptOutcome] = {}


def decide_group(
    group: Sequence[Asked],
    stored: Stored,
    now: int,
    homes: Callable[[Key], bool],
    check: Check | None = None,
    meter: RegistrationMeter | None = None,
) -> Decided:
    """Decide changes in order, each on what those before it left; a refused one leaves nothing.

    `check` may refuse what a change comes to, `meter` one registration more. No idempotency key may
    be in the group twice.
    """
    verdicts: list[Verdict] = []
    rows: dict[Key, Row | None] = {}
    versions: dict[Key, int] = dict(stored.last_versions)
    for change, actor, once in group:
        key = change.key
        before = rows[key] if key in rows else stored.rows.get(key)
        try:
            kept = _kept(once, stored.outcomes)
            if kept is not None:
                verdicts.append(kept)
                continue
            if not homes(key):
                raise PrefixNotHomed(key.prefix)
            after = decide(change, before, now, versions.get(key, 0))
            if check is not None:
                check(before, after)
            event = _event(change, before)
            if meter is not None and _registers(event, key):
                meter.take(actor.name, key.prefix)
        except Refusal as refusal:
            verdicts.append(refusal)
            continue
        rows[key] = after
        if before is not None:
            versions[key] = before.version
        verdicts.append(Done(event, before, after))
    return Decided(verdicts, rows)


def _registers(event: Event, key: Key) -> bool:
    """Whether a change counts as the registration of an identifier."""
    return event is Event.IDENTIFIER_CREATED and is_counted(*key)


def count_registrations(
    group: Sequence[Asked], verdicts: Sequence[Verdict], meter: RegistrationMeter
) -> None:
    """Have the registrations that are made counted."""
    for (change, actor, _), verdict in zip(group, verdicts, strict=True):
        if isinstance(verdict, Done) and _registers(verdict.event, change.key):
            meter.take(actor.name, change.key.prefix)


def _kept(once: Once | None, outcomes: Mapping[bytes, KeptOutcome]) -> Receipt | None:
    """What was done under this idempotency key before. Raises IdempotencyMismatch."""
    found = None if once is None else outcomes.get(once.key)
    if once is None or found is None:
        return None
    if found.request != once.request:
        raise IdempotencyMismatch("the idempotency key was used for another request")
    return Receipt.read(found.outcome)


def _event(change: Change, before: Row | None) -> Event:
    replaces = before is not None and before.state == ACTIVE
    if change.operation is Operation.REGISTER and replaces:
        return Event.IDENTIFIER_CHANGED
    return _EVENTS[change.operation]


def seal_group(group: Sequence[Asked], decided: Decided, seal: Seal, now: int) -> Decided:
    """The same with the rows sealed. Pure but slow: it may run in a thread.

    Where there is no room for the signature, all changes of the identifier are refused: those that
    came first were never seen by anybody.
    """
    rows: dict[Key, Row | None] = {}
    refused: dict[Key, Refusal] = {}
    for key, row in decided.rows.items():
        try:
            rows[key] = row and _sealed(row, seal, now)
        except InvalidValue as refusal:
            refused[key] = refusal
    verdicts: list[Verdict] = []
    for asked, verdict in zip(group, decided.verdicts, strict=True):
        key = asked.change.key
        if isinstance(verdict, Done) and key in refused:
            verdicts.append(copy.copy(refused[key]))
        elif isinstance(verdict, Done) and verdict.after is decided.rows[key]:
            verdicts.append(verdict._replace(after=rows[key]))
        else:
            verdicts.append(verdict)
    return Decided(verdicts, rows)


def _sealed(row: Row, seal: Seal, now: int) -> Row:
    if row.state != ACTIVE:
        return row
    return row._replace(record=sealed_record(seal, row.key, row.record, now))


def sealed_record(seal: Seal, key: Key, record: bytes, now: int) -> bytes:
    """The record with the seal. Raises InvalidValue where there is no room for it."""
    sealed = seal(key, record, now)
    check_size(sealed)
    return sealed


class Settled(NamedTuple):
    """What a group comes to once each change has its number in the audit log."""

    verdicts: list[Verdict]
    rows: dict[Key, Row | None]
    archive: list[Ended]
    outcomes: list[KeptOutcome]


def settle_group(
    group: Sequence[Asked], decided: Decided, now: int, note: Callable[[Note], int]
) -> Settled:
    """Note every change that is made, and mark the rows with the numbers that `note` gives."""
    settled = Settled([], {}, [], [])
    for asked, verdict in zip(group, decided.verdicts, strict=True):
        if isinstance(verdict, Done):
            verdict = _noted(asked, verdict, settled, note)
            if asked.once is not None:
                kept = KeptOutcome(*asked.once, str(verdict.receipt), now)
                settled.outcomes.append(kept)
        settled.verdicts.append(verdict)
    return settled


def _noted(asked: Asked, done: Done, settled: Settled, note: Callable[[Note], int]) -> Done:
    event, before, after = done
    key = asked.change.key
    before = settled.rows.get(key, before)
    was, now_is = (record_digest(row and row.record) for row in (before, after))
    number = note(Note(event, asked.actor, str(key), was, now_is))
    if before is not None:
        settled.archive.append(Ended(*before, ended=number))
    after = settled.rows[key] = after and after._replace(entry=number)
    return Done(event, before, after)


def count_deltas(stored: Mapping[Key, Row], rows: Mapping[Key, Row | None]) -> dict[str, int]:
    """By how much the statistics of each prefix change when `rows` replace `stored`."""
    deltas: dict[str, int] = {}
    for key, row in rows.items():
        if is_counted(*key):
            delta = _counts_as(row) - _counts_as(stored.get(key))
            deltas[key.prefix] = deltas.get(key.prefix, 0) + delta
    return deltas


def _counts_as(row: Row | None) -> int:
    return 1 if row is not None and row.state == ACTIVE else 0
