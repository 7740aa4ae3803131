"""Limits on what enterprises and accounts use, and how much of them is used.

Whoever has no limit is not counted. A subject is `enterprise:NUMBER` or `account:USERNAME`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from registry.authorisation import Principal
from registry.errors import RegistrationQuotaSpent
from registry.schemes.handle import ancestors

ACCOUNT: Final = "account:"
ENTERPRISE: Final = "enterprise:"
#: Seconds of a day, which begins at midnight UTC.
DAY: Final = 86_400


class Quota(NamedTuple):
    """The limits of a subject, None for no limit.

    `requests` a day by HTTP with a token, `registrations` of identifiers in all (what is deleted
    later is not given back), `prefixes` that are applied for or allocated (enterprises only).
    """

    subject: str
    requests: int | None = None
    registrations: int | None = None
    prefixes: int | None = None


class QuotaUse(NamedTuple):
    """What a subject has used of its limits: requests on a day (days since 1970) and in all the
    registrations."""

    subject: str
    day: int = 0
    requests: int = 0
    registrations: int = 0


class RegistrationLimit(NamedTuple):
    """A limit and what is used of it. `prefix` is one whose identifiers count, if it has that."""

    subject: str
    limit: int
    used: int
    prefix: str = ""


def subjects_of(principal: Principal) -> Iterator[str]:
    """Whose limits count what somebody asks for."""
    yield ACCOUNT + principal.username
    if principal.enterprise:
        yield ENTERPRISE + principal.enterprise


class RegistrationMeter:
    """Counts registrations, as long as the limits on them are not used up."""

    def __init__(self, limits: Iterable[RegistrationLimit] = ()) -> None:
        self._by_account: dict[str, RegistrationLimit] = {}
        self._by_prefix: dict[str, RegistrationLimit] = {}
        for limit in limits:
            if limit.prefix:
                self._by_prefix[limit.prefix] = limit
            else:
                self._by_account[limit.subject] = limit
        #: What was taken, by subject.
        self.taken: Counter[str] = Counter()

    def left(self, username: str, prefix: str) -> int | None:
        """How many identifiers may still be registered, None for any number."""
        return min(map(self._left, self._on(username, prefix)), default=None)

    def take(self, username: str, prefix: str, count: int = 1) -> None:
        """Register so many. Raises RegistrationQuotaSpent, and then has counted nothing."""
        if not self._by_account and not self._by_prefix:
            return
        limits = self._on(username, prefix)
        for limit in limits:
            if self._left(limit) < count:
                raise RegistrationQuotaSpent(limit.subject, limit.limit)
        self.taken.update({limit.subject: count for limit in limits})

    def refusal(self, username: str, prefix: str) -> RegistrationQuotaSpent:
        """Why no more may be registered."""
        tightest = min(self._on(username, prefix), key=self._left)
        return RegistrationQuotaSpent(tightest.subject, tightest.limit)

    def _on(self, username: str, prefix: str) -> list[RegistrationLimit]:
        """The limits that count what somebody registers under a prefix."""
        found = [self._by_account.get(ACCOUNT + username)]
        held = (self._by_prefix[above] for above in ancestors(prefix) if above in self._by_prefix)
        found.append(next(held, None))
        return [limit for limit in found if limit is not None]

    def _left(self, limit: RegistrationLimit) -> int:
        return max(0, limit.limit - limit.used - self.taken[limit.subject])
