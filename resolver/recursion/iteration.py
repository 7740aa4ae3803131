"""One walk from the root towards an identifier: a conversation without sockets or clock.

`Walk.conversation()` yields an `Ask`; whoever runs it sends back the `Reply` or `NoReply` that
came, with the time (monotonic seconds), until the generator returns the answer. A walk in words:

    ask the servers of a zone, one after the other, in the order and with the patience of `targets`
    values or a denial          that is the answer
    a referral in bailiwick     its sites are the next zone; service handles are looked up first
    anything else               the next server; after the last one the zone has failed

Everything is paid from one budget. A zone that came from the delegation cache and fails is
forgotten and the walk starts over from the root, once, within the same budget.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Final, TypeAlias, TypeVar

from registry.errors import InvalidIdentifier
from registry.schemes.handle import PREFIX_RECORDS, Key, parse, prefix_record
from registry.values.site import Site
from resolver.cache.delegations import MAX_TTL, DelegationCache, Zone
from resolver.query import Answer, Referral, Refused, Values
from resolver.recursion.bailiwick import ROOT, home, next_below
from resolver.recursion.budget import Budget, BudgetSpent, Limits
from resolver.recursion.events import OUTCOME_OF, Ask, Event, Reply
from resolver.recursion.referral import read_whereabouts
from resolver.recursion.targets import Attempts, Fault, choose, plausible
from resolver.recursion.trace import CACHE, Step, describe
from resolver.recursion.verdict import judge

T = TypeVar("T")
ROOT_KEY: Final = Key(PREFIX_RECORDS, PREFIX_RECORDS)
MayAsk: TypeAlias = Callable[[str, int], bool]
Conversation: TypeAlias = Generator[Ask, Event, T]


class ZoneFailed(Exception):  # noqa: N818 - an outcome of the walk, not a malfunction
    """No server of a zone gave a usable reply."""

    def __init__(self, zone: str, fault: Fault) -> None:
        super().__init__(f"no usable answer from the servers of {zone or 'the root'}")
        self.zone = zone
        self.fault = fault


class Walk:
    """The state of one walk: what it may still spend, where it is, and the steps it took."""

    def __init__(
        self,
        key: Key,
        root: tuple[Site, ...],
        delegations: DelegationCache,
        limits: Limits,
        now: float,
        *,
        fresh: bool = False,
        may_ask: MayAsk = plausible,
    ) -> None:
        self.key = key
        self.budget = Budget(limits, now)
        self.referrals = 0
        self.steps: list[Step] = []
        self._root = Zone(ROOT, root, float("inf"))
        self._delegations = delegations
        self._fresh = fresh
        self._may_ask = may_ask
        self._now = now
        self._open = [key]  # the question and the service handles that are being looked up for it

    def conversation(self) -> Conversation[Values | Refused]:
        """The walk itself; returns the answer, kept no longer than any delegation on the way."""
        try:
            return (yield from self._resolve(self.key, 0))
        except BudgetSpent as spent:
            return Refused(spent.outcome, str(spent))
        except ZoneFailed as failed:
            return Refused(OUTCOME_OF[failed.fault], str(failed))

    def _resolve(self, key: Key, depth: int) -> Conversation[Values | Refused]:
        start = self._closest(home(key))
        try:
            return (yield from self._descend(key, start, depth))
        except ZoneFailed as failed:
            if not start.cached or failed.zone != start.prefix:
                raise
        # The node may have moved since its parent was last asked.
        self._delegations.forget(start.prefix)
        return (yield from self._descend(key, self._root, depth))

    def _closest(self, subject: str) -> Zone:
        known = None if self._fresh else self._delegations.closest(subject, self._now)
        if known is None:
            return self._root
        targets = choose(known.sites, self.key, self.budget.limits, self._may_ask)
        if not targets:
            return self._root
        node, role, endpoint = targets[0].label
        question = str(prefix_record(known.prefix))
        self.steps.append(Step(node, role, endpoint, CACHE, question, "known", 0.0, cached=True))
        return known

    def _descend(self, key: Key, zone: Zone, depth: int) -> Conversation[Values | Refused]:
        while True:
            answer = yield from self._ask_zone(key, zone)
            if not isinstance(answer, Referral):
                return self._shorten(answer, zone)
            depth += 1
            self.referrals += 1
            self.budget.check_depth(depth)
            zone = yield from self._enter(zone, answer, home(key), depth)

    def _ask_zone(self, key: Key, zone: Zone) -> Conversation[Answer]:
        """The first usable reply of the zone's servers."""
        targets = choose(zone.sites, key, self.budget.limits, self._may_ask)
        attempts = Attempts(targets)
        gravest = Fault.UNREACHABLE if targets else Fault.UNUSABLE
        while (attempt := attempts.next()) is not None:
            event = yield from self._ask(Ask(key, zone.prefix, attempt, attempt.seconds))
            found = judge(event, zone.prefix, home(key))
            if not isinstance(found, Fault):
                return found
            gravest = max(gravest, found)
            attempts.learn(attempt, found)
        raise ZoneFailed(zone.prefix, gravest)

    def _ask(self, ask: Ask) -> Conversation[Event]:
        """One question, paid for and noted."""
        left = self.budget.time_left(self._now)
        self.budget.spend_query()
        event = yield replace(ask, seconds=min(ask.seconds, left))
        node, role, endpoint = ask.attempt.target.label
        response = describe(event.answer) if isinstance(event, Reply) else event.fault.name.lower()
        ms = round((event.at - self._now) * 1000, 3)
        protocol = f"hdl+{ask.attempt.protocol}"
        self.steps.append(Step(node, role, endpoint, protocol, str(ask.key), response, ms))
        self._now = event.at
        if isinstance(event, Reply):
            self.budget.spend_octets(event.octets)
        return event

    def _enter(
        self, zone: Zone, referral: Referral, subject: str, depth: int
    ) -> Conversation[Zone]:
        """The zone a referral leads to. One that its parent named is remembered."""
        prefix = referral.prefix or next_below(zone.prefix, subject) or ROOT
        sites, services = read_whereabouts(referral.record)
        ttl = referral.ttl
        if not sites:
            names = services or (str(prefix_record(prefix)).encode(),)
            sites, service_ttl = yield from self._look_up(names, depth, prefix)
            ttl = min(ttl, service_ttl)
        expires = min(zone.expires, self._now + min(ttl, MAX_TTL))
        if referral.prefix and expires > self._now:
            self._delegations.put(prefix, sites, expires, len(referral.record))
        return Zone(prefix, sites, expires)

    def _look_up(
        self, names: tuple[bytes, ...], depth: int, prefix: str
    ) -> Conversation[tuple[tuple[Site, ...], int]]:
        """The sites of the first service handle that has some, and how long they may be kept."""
        gravest = Fault.UNUSABLE
        for name in names:
            try:
                return (yield from self._service(name, depth, prefix))
            except ZoneFailed as failed:
                gravest = max(gravest, failed.fault)
        raise ZoneFailed(prefix, gravest)

    def _service(
        self, name: bytes, depth: int, prefix: str
    ) -> Conversation[tuple[tuple[Site, ...], int]]:
        try:
            key = parse(name)
        except InvalidIdentifier:
            raise ZoneFailed(prefix, Fault.UNUSABLE) from None
        if key == ROOT_KEY:
            return self._root.sites, MAX_TTL
        if key in self._open:
            raise ZoneFailed(prefix, Fault.CIRCLE)
        self.budget.spend_sub_lookup()
        self._open.append(key)
        try:
            answer = yield from self._resolve(key, depth)
            if isinstance(answer, Refused):
                raise ZoneFailed(prefix, Fault.UNUSABLE)
            sites, services = read_whereabouts(answer.record)
            if sites:
                return sites, answer.ttl
            found, ttl = yield from self._look_up(services, depth, prefix)
            return found, min(ttl, answer.ttl)
        finally:
            self._open.pop()

    def _shorten(self, answer: Values | Refused, zone: Zone) -> Values | Refused:
        """No answer outlives the delegation of its zone: revocation must reach what was kept."""
        return answer._replace(ttl=int(min(answer.ttl, max(0, zone.expires - self._now))))
