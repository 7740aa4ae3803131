"""A walk told as a dialogue: `Playbook(...) >> asks(A) << referral(...) >> asks(B) << values(...)`.

`>>` is what the walk does (it asks somebody, or it ends), `<<` is what the world does to it. Hosts
are written as addresses; every event takes `seconds` of the walk's time, 0.01 unless told.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry import outcomes
from registry.outcomes import Outcome
from registry.schemes.handle import parse
from registry.values.site import (
    PRIMARY,
    QUERY,
    TCP,
    UDP,
    Attribute,
    Interface,
    Server,
    Site,
    encode_site,
)
from registry.values.value import Value, encode_record
from resolver.cache.delegations import DelegationCache
from resolver.query import Answer, Referral, Refused, Values
from resolver.recursion.budget import DEFAULT_LIMITS, Limits
from resolver.recursion.events import Ask, Event, NoReply, Reply
from resolver.recursion.iteration import Walk
from resolver.recursion.targets import Fault

PORT = 2641
BOTH = (Interface(QUERY, UDP, PORT), Interface(QUERY, TCP, PORT))


def site(
    *hosts: str,
    node: str = "",
    role: str = "",
    primary: bool = True,
    interfaces: tuple[Interface, ...] = BOTH,
) -> Site:
    """A site whose servers have these addresses."""
    attributes = [(b"node", node), (b"role", role)]
    return Site(
        tuple(Server(number, host, b"", interfaces) for number, host in enumerate(hosts, 1)),
        tuple(Attribute(name, text.encode()) for name, text in attributes if text),
        flags=PRIMARY if primary else 0,
    )


def site_record(*sites: Site, type_: bytes = b"HS_SITE", ttl: int = 86_400) -> bytes:
    """A record that holds these sites."""
    return encode_record(
        [Value(number, type_, encode_site(one), ttl=ttl) for number, one in enumerate(sites, 1)]
    )


def services_record(*names: str, type_: bytes = b"HS_SERV") -> bytes:
    """A record that names service handles."""
    return encode_record([Value(i, type_, name.encode()) for i, name in enumerate(names, 1)])


def referral(prefix: str, *sites: Site, ttl: int = 86_400) -> Referral:
    """302: the sites of `prefix`."""
    return Referral(outcomes.SERVICE_REFERRAL, prefix, site_record(*sites), ttl)


def service_referral(prefix: str, *names: str, ttl: int = 86_400) -> Referral:
    """302 with service handles in place of sites."""
    return Referral(outcomes.SERVICE_REFERRAL, prefix, services_record(*names), ttl)


def prefix_referral(*sites: Site, ttl: int = 86_400) -> Referral:
    """303: sites of an ancestor that is not named."""
    record = site_record(*sites, type_=b"HS_SITE.PREFIX")
    return Referral(outcomes.PREFIX_REFERRAL, "", record, ttl)


def values(text: str = "https://example.org/", ttl: int = 86_400) -> Values:
    """A registered record of one URL."""
    value = Value(1, b"URL", text.encode(), ttl=ttl, timestamp=1_700_000_000)
    return Values(encode_record([value]), ttl)


def sites_values(*sites: Site, ttl: int = 86_400) -> Values:
    """The record of a service handle."""
    return Values(site_record(*sites), ttl)


@dataclass(frozen=True)
class asks:  # noqa: N801 - a word of the dialogue
    """The walk asks this host, about `question` if it is given."""

    host: str
    protocol: str = "udp"
    question: str | None = None
    zone: str | None = None


@dataclass(frozen=True)
class ends:  # noqa: N801 - a word of the dialogue
    """The walk is over; with an outcome other than OK it ends in that refusal."""

    outcome: Outcome = outcomes.OK


@dataclass(frozen=True)
class after:  # noqa: N801 - a word of the dialogue
    """An event that takes its time."""

    seconds: float
    what: Answer | Fault
    octets: int = 300


TIMEOUT = Fault.TIMEOUT


class Playbook:
    """Runs a walk against a script; each line is checked as it is written."""

    def __init__(
        self,
        identifier: str,
        *root: Site,
        delegations: DelegationCache | None = None,
        limits: Limits = DEFAULT_LIMITS,
        now: float = 0.0,
        fresh: bool = False,
    ) -> None:
        self.delegations = DelegationCache() if delegations is None else delegations
        self.now = now
        self.walk = Walk(parse(identifier), root, self.delegations, limits, now, fresh=fresh)
        self._conversation = self.walk.conversation()
        self.pending: Ask | None = None
        self.answer: Values | Refused | None = None
        self._step(None)

    def __rshift__(self, expected: asks | ends) -> Playbook:
        if isinstance(expected, ends):
            assert self.answer is not None, f"still asks {self.pending}"
            outcome = self.answer.outcome if isinstance(self.answer, Refused) else outcomes.OK
            assert outcome is expected.outcome
            return self
        assert self.pending is not None, f"ended with {self.answer}"
        attempt = self.pending.attempt
        assert (attempt.target.host, attempt.protocol) == (expected.host, expected.protocol)
        if expected.question is not None:
            assert str(self.pending.key) == expected.question
        if expected.zone is not None:
            assert self.pending.zone == expected.zone
        return self

    def __lshift__(self, event: Answer | Fault | after) -> Playbook:
        assert self.pending is not None, f"ended with {self.answer}"
        if isinstance(event, Fault):
            patience = self.pending.seconds if event is TIMEOUT else 0.0
            event = after(patience, event)
        elif not isinstance(event, after):
            event = after(0.01, event)
        self.now += event.seconds
        what = event.what
        self._step(
            NoReply(what, self.now)
            if isinstance(what, Fault)
            else Reply(what, event.octets, self.now)
        )
        return self

    def _step(self, event: Event | None) -> None:
        self.pending = None
        try:
            self.pending = (
                next(self._conversation) if event is None else self._conversation.send(event)
            )
        except StopIteration as done:
            self.answer = done.value
