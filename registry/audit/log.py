"""The account of every change: entries chained by hash, checkpoints signed and kept by a witness.

An entry's hash covers the entry and the hash before it, so that a changed, removed, swapped or
inserted entry breaks the chain. A chain alone does not show a cut tail or an older copy of it all:
for that each node signs checkpoints (how long the log is, and its last hash) and hands them to
its parent.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from registry.audit import merkle

#: The hash before the first entry.
GENESIS: Final = bytes(32)
_NUMBERS: Final = struct.Struct(">QqI")  # sequence, time, size
_LENGTH: Final = struct.Struct(">I")


class Event(StrEnum):
    """What happened, as `subject:action`. Retired words stay as comments: grep finds them."""

    IDENTIFIER_RESERVED = "identifier:reserved"
    IDENTIFIER_CREATED = "identifier:created"
    IDENTIFIER_CHANGED = "identifier:changed"
    IDENTIFIER_HELD = "identifier:held"
    IDENTIFIER_RELEASED = "identifier:released"
    IDENTIFIER_REVOKED = "identifier:revoked"
    IDENTIFIER_RESTORED = "identifier:restored"
    IDENTIFIER_DELETED = "identifier:deleted"
    BATCH_REGISTERED = "batch:registered"
    TEMPLATE_DRAFTED = "template:drafted"
    TEMPLATE_PUBLISHED = "template:published"
    TEMPLATE_WITHDRAWN = "template:withdrawn"
    TEMPLATE_DISCARDED = "template:discarded"
    ENTERPRISE_APPLIED = "enterprise:applied"
    ENTERPRISE_CHANGED = "enterprise:changed"
    ENTERPRISE_ACCEPTED = "enterprise:accepted"
    ENTERPRISE_REJECTED = "enterprise:rejected"
    ENTERPRISE_REPORTED = "enterprise:reported"
    ENTERPRISE_CREATED = "enterprise:created"
    PREFIX_CREATED = "prefix:created"
    NOTICE_ACKNOWLEDGED = "notice:acknowledged"
    PREFIX_APPLIED = "prefix:applied"
    PREFIX_ACCEPTED = "prefix:accepted"
    PREFIX_REJECTED = "prefix:rejected"
    PREFIX_SUBMITTED = "prefix:submitted"
    PREFIX_PASSED = "prefix:passed"
    PREFIX_FAILED = "prefix:failed"
    PREFIX_ROUTED = "prefix:routed"
    PREFIX_SUSPENDED = "prefix:suspended"
    PREFIX_RESUMED = "prefix:resumed"
    PREFIX_REVOKED = "prefix:revoked"
    PREFIX_RESTORED = "prefix:restored"
    PREFIX_OFFERED = "prefix:offered"
    PREFIX_TAKEN = "prefix:taken"
    PREFIX_DECLINED = "prefix:declined"
    PREFIX_HOMED = "prefix:homed"
    PREFIX_UNHOMED = "prefix:unhomed"
    ACCOUNT_CREATED = "account:created"
    ACCOUNT_DISABLED = "account:disabled"
    ACCOUNT_ENABLED = "account:enabled"
    ACCOUNT_PASSWORD_SET = "account:password-set"
    ACCOUNT_DELETED = "account:deleted"
    TOKEN_ISSUED = "token:issued"
    TOKEN_REVOKED = "token:revoked"
    KEY_ADDED = "key:added"
    KEY_REMOVED = "key:removed"
    QUOTA_SET = "quota:set"


class Actor(NamedTuple):
    """Who makes a change, and from where: the protocol and, behind a space, the address."""

    name: str
    origin: str


class Note(NamedTuple):
    """What an entry says of one event (see `Entry`), before it has its place in the log."""

    event: Event
    actor: Actor
    subject: str
    before: bytes = b""
    after: bytes = b""
    size: int = 1


class Head(NamedTuple):
    """The end of a log: the number and the hash of its last entry."""

    sequence: int
    hash: bytes


#: The end of a log without entries.
START: Final = Head(0, GENESIS)


class Entry(NamedTuple):
    """One entry. `sequence` counts from 1 without gaps; `time` is Unix time in milliseconds.

    `actor` is who did it, `origin` from where (protocol and address), `subject` the identifier or
    prefix. `before` and `after` are SHA-256 of the record, empty where there was none; for a batch
    `after` is the Merkle root over its rows and `size` their number.
    """

    sequence: int
    time: int
    event: str
    actor: str
    origin: str
    subject: str
    before: bytes
    after: bytes
    size: int = 1

    @property
    def scope(self) -> str:
        """What it is about: a prefix, the number of an enterprise or a username, by which the
        subject begins."""
        return self.subject.partition("/")[0].partition(" ")[0]

    @classmethod
    def of(cls, note: Note, sequence: int, time: int) -> Entry:
        """The note as an entry of the log."""
        event, (name, origin), subject, before, after, size = note
        return cls(sequence, time, event, name, origin, subject, before, after, size)


class Sealed(NamedTuple):
    """An entry with its hash, 32 octets."""

    entry: Entry
    hash: bytes


class Checkpoint(NamedTuple):
    """What a node says of its log at a time: its length, its last hash, the node's signature."""

    node: str
    sequence: int
    hash: bytes
    time: int
    signature: bytes = b""

    @property
    def signed_octets(self) -> bytes:
        """What the signature covers."""
        return b"".join(
            (
                b"idnode audit checkpoint 1\n",
                _string(self.node.encode()),
                _NUMBERS.pack(self.sequence, self.time, 0),
                _string(self.hash),
            )
        )


class Fault(StrEnum):
    """What is wrong with a log."""

    GAP = "gap"  # a sequence number is missing, repeated or out of order
    BROKEN = "broken"  # an entry and its hash, or the hash before it, do not belong together
    CUT = "cut"  # a checkpoint covers entries that are not there: cut off, or an older copy
    REWRITTEN = "rewritten"  # the entry that a checkpoint names has another hash
    ROWS = "rows"  # what is stored is not what the log says
    UNSIGNED = "unsigned"  # a checkpoint's signature does not hold


class Finding(NamedTuple):
    """A fault and where it was seen."""

    fault: Fault
    sequence: int
    detail: str


def record_digest(record: bytes | None) -> bytes:
    """What an entry says of a record: its SHA-256, or nothing where there is none."""
    return b"" if record is None else hashlib.sha256(record).digest()


def leaf(prefix: str, suffix: str, record: bytes) -> bytes:
    """The Merkle leaf (`registry.audit.merkle`) of a row of a batch."""
    subject = f"{prefix}/{suffix}".encode("utf-8", "surrogatepass")
    return merkle.leaf_hash(_LENGTH.pack(len(subject)) + subject + record)


def batch_root(prefix: str, rows: Iterable[tuple[str, bytes]]) -> bytes:
    """The Merkle root over suffixes with their records, in the order of the suffixes."""
    return merkle.root([leaf(prefix, suffix, record) for suffix, record in sorted(rows)])


def entry_hash(entry: Entry, previous: bytes) -> bytes:
    """The hash of an entry behind the one with the hash `previous`."""
    texts = (entry.event, entry.actor, entry.origin, entry.subject)
    parts = [previous, _NUMBERS.pack(entry.sequence, entry.time, entry.size)]
    parts += [_string(text.encode("utf-8", "surrogatepass")) for text in texts]
    parts += [_string(entry.before), _string(entry.after)]
    return hashlib.sha256(b"".join(parts)).digest()


def seal(entries: Iterable[Entry], previous: bytes) -> Iterator[Sealed]:
    """The entries with their hashes, behind the entry with the hash `previous`."""
    for entry in entries:
        previous = entry_hash(entry, previous)
        yield Sealed(entry, previous)


def verify(
    log: Iterable[Sealed],
    checkpoints: Sequence[Checkpoint],
    signature_holds: Callable[[Checkpoint], bool],
) -> Iterator[Finding]:
    """Everything that is wrong with a whole log, read from its first entry on.

    `checkpoints` are those that the node signed, from wherever they were kept; `signature_holds`
    checks one.
    """
    expected: dict[int, list[Checkpoint]] = {}
    for checkpoint in checkpoints:
        if signature_holds(checkpoint):
            expected.setdefault(checkpoint.sequence, []).append(checkpoint)
        else:
            seen = f"checkpoint of {checkpoint.node} at {checkpoint.time}"
            yield Finding(Fault.UNSIGNED, checkpoint.sequence, seen)
    last, previous = 0, GENESIS
    for entry, found in log:
        if entry.sequence != last + 1:
            yield Finding(Fault.GAP, entry.sequence, f"follows entry {last}")
        if entry_hash(entry, previous) != found:
            yield Finding(Fault.BROKEN, entry.sequence, entry.subject)
        for kept in expected.pop(entry.sequence, ()):
            if kept.hash != found:
                yield Finding(Fault.REWRITTEN, entry.sequence, f"checkpoint at {kept.time}")
        last, previous = entry.sequence, found
    for sequence in sorted(expected):
        if sequence > last:
            yield Finding(Fault.CUT, sequence, f"the log ends with entry {last}")


def _string(octets: bytes) -> bytes:
    return _LENGTH.pack(len(octets)) + octets
