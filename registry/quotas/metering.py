"""Limits on registrations, held in the transaction that registers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from registry.quotas.quota import ACCOUNT, QuotaUse, RegistrationLimit, RegistrationMeter
from registry.schemes.handle import ancestors
from registry.storage.interface import Reads, Transaction

_NONE: Final[Sequence[RegistrationLimit]] = ()


class Metering:
    """The limits that count what a transaction registers; nearly always there are none."""

    def __init__(self, transaction: Transaction, limits: Sequence[RegistrationLimit]) -> None:
        self._transaction = transaction
        self.limits = limits

    @classmethod
    async def of(
        cls, reads: Reads, transaction: Transaction, wanted: Iterable[tuple[str, str]]
    ) -> Metering:
        """The limits on what is wanted: who registers, and under which prefix."""
        if not await reads.limits_registrations():
            return cls(transaction, _NONE)
        names, prefixes = map(set, zip(*wanted, strict=True))
        above = {each for prefix in prefixes for each in ancestors(prefix)}
        subjects = [ACCOUNT + name for name in sorted(names)]
        return cls(transaction, await transaction.registration_limits(subjects, sorted(above)))

    def meter(self) -> RegistrationMeter:
        """Counts from what is used already."""
        return RegistrationMeter(self.limits)

    async def settle(self, meter: RegistrationMeter) -> None:
        """Note what was taken."""
        used = {limit.subject: limit.used for limit in self.limits}
        for subject, count in meter.taken.items():
            found = await self._transaction.dossiers(QuotaUse, subject=subject)
            use = found[0] if found else QuotaUse(subject)
            await self._transaction.file([use._replace(registrations=used[subject] + count)])
