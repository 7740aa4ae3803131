"""Setting limits, and what is used of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from registry.accounts.account import Account, is_username
from registry.audit.ledger import Ledger
from registry.audit.log import Actor, Event, Note, record_digest
from registry.clock import Clock
from registry.enterprises.enterprise import Enterprise
from registry.errors import NotFound, PrefixQuotaSpent
from registry.prefixes.allocations import Allocation
from registry.prefixes.life import PrefixState
from registry.quotas.quota import ACCOUNT, DAY, ENTERPRISE, Quota, QuotaUse
from registry.storage.interface import Reads, Transaction

#: Prefixes that an enterprise does not have, or not any more.
_NOT_HELD: Final = frozenset({PrefixState.REJECTED, PrefixState.REVOKED})


class QuotaState(NamedTuple):
    """The limits of a subject, and what is used of each of them."""

    quota: Quota
    used: Mapping[str, int]


class QuotaOffice:
    """The limits on one node."""

    def __init__(self, ledger: Ledger, reads: Reads, clock: Clock) -> None:
        self._ledger = ledger
        self._reads = reads
        self._clock = clock

    async def subject(self, subject: str) -> Account | Enterprise:
        """Whose limits `enterprise:NUMBER` or `account:USERNAME` are. Raises NotFound."""
        found: list[Account] | list[Enterprise] = []
        username = subject.removeprefix(ACCOUNT)
        if subject.startswith(ACCOUNT) and is_username(username):
            found = await self._reads.dossiers(Account, username=username)
        elif subject.startswith(ENTERPRISE) and subject.isascii() and subject.isprintable():
            number = subject.removeprefix(ENTERPRISE)
            found = await self._reads.dossiers(Enterprise, number=number)
        if not found:
            raise NotFound("there is no such account or enterprise")
        return found[0]

    async def state(self, subject: str) -> QuotaState:
        """The limits of a subject, none where none were set."""
        quota = await _quota(self._reads, subject)
        use = await _use(self._reads, subject)
        today = int(self._clock.now()) // DAY
        used = {
            "requests": use.requests if use.day == today else 0,
            "registrations": use.registrations,
        }
        if subject.startswith(ENTERPRISE):
            used["prefixes"] = await _prefixes(self._reads, subject)
        return QuotaState(quota, used)

    async def set(self, quota: Quota, actor: Actor) -> None:
        """Set the limits of a subject, in the place of those it had.

        Registrations are counted from when a limit is first set on them; of an enterprise, what is
        registered under its prefixes then counts already.
        """
        subject = quota.subject
        counts = await self._reads.counts()
        async with self._ledger.begin() as writing:
            transaction = writing.transaction
            before, use = await _quota(transaction, subject), await _use(transaction, subject)
            if before.registrations is None and quota.registrations is not None:
                held = await _allocations(transaction, subject)
                registered = sum(counts.get(each.prefix, 0) for each in held)
                await transaction.file([use._replace(registrations=registered)])
            await transaction.file([quota])
            was, now_is = (record_digest(msgspec.json.encode(each)) for each in (before, quota))
            whose = subject.partition(":")[2]
            writing.note(Note(Event.QUOTA_SET, actor, whose, was, now_is))


async def check_prefixes(transaction: Transaction, enterprise: str) -> None:
    """Raise PrefixQuotaSpent unless an enterprise may apply for one prefix more."""
    subject = ENTERPRISE + enterprise
    limit = (await _quota(transaction, subject)).prefixes
    if limit is not None and await _prefixes(transaction, subject) >= limit:
        raise PrefixQuotaSpent(subject, limit)


async def _quota(source: Reads | Transaction, subject: str) -> Quota:
    found = await source.dossiers(Quota, subject=subject)
    return found[0] if found else Quota(subject)


async def _use(source: Reads | Transaction, subject: str) -> QuotaUse:
    found = await source.dossiers(QuotaUse, subject=subject)
    return found[0] if found else QuotaUse(subject)


async def _allocations(source: Reads | Transaction, subject: str) -> list[Allocation]:
    """The prefixes that an enterprise has or has applied for; none of an account."""
    if not subject.startswith(ENTERPRISE):
        return []
    number = subject.removeprefix(ENTERPRISE)
    found = await source.dossiers(Allocation, enterprise=number)
    return [each for each in found if each.state not in _NOT_HELD]


async def _prefixes(source: Reads | Transaction, subject: str) -> int:
    return len(await _allocations(source, subject))
