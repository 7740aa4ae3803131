"""No delegation tree, however hostile, makes one question cost more than its budget."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from registry import outcomes
from registry.values.site import Site
from resolver.cache.delegations import DelegationCache
from resolver.query import Answer, Referral, Refused, Values
from resolver.recursion.budget import DEFAULT_LIMITS
from resolver.recursion.targets import Fault
from tests.support.playbook import Playbook, after, services_record, site, site_record, values

SUBJECT = "88.1.2.3.4.5.6.7.8.9.10.11"
hosts = st.integers(1, 30).map(lambda number: f"10.0.0.{number}")
sites = st.lists(
    st.lists(hosts, min_size=1, max_size=4).map(lambda found: site(*found)), max_size=6
)
#: Mostly prefixes on the way to the subject: the others are refused at once and cost little.
prefixes = st.one_of(
    st.integers(1, 12).map(lambda depth: ".".join(SUBJECT.split(".")[:depth])),
    st.sampled_from(["", "99", "88.2", "99.1"]),
)
names = st.lists(
    st.one_of(
        st.integers(0, 40).map(lambda number: f"99/S{number}"),
        st.sampled_from([f"{SUBJECT}/X", "0.NA/0.NA", "0.NA/88.1", "88.1/S", "\0", ""]),
    ),
    max_size=12,
)
outcomes_of_referral = st.sampled_from([outcomes.SERVICE_REFERRAL, outcomes.PREFIX_REFERRAL])
ttls = st.sampled_from([0, 1, 60, 1 << 32])


@st.composite
def records(draw: st.DrawFn) -> bytes:
    found: list[Site] = draw(sites)
    return site_record(*found) if found else services_record(*draw(names))


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    return draw(
        st.one_of(
            st.builds(Referral, outcomes_of_referral, prefixes, records(), ttls),
            st.builds(Values, records(), ttls),
            st.sampled_from(
                [
                    Refused(outcomes.NOT_FOUND),
                    Refused(outcomes.NOT_RESPONSIBLE),
                    Refused(outcomes.INTERNAL),
                    values(),
                ]
            ),
        )
    )


events = st.one_of(
    answers(),
    answers(),
    st.sampled_from([one for one in Fault if one is not Fault.CIRCLE]),
    st.builds(after, st.floats(0, 0.4), answers(), st.integers(0, 40_000)),
)


@settings(max_examples=300, deadline=None)
@given(st.data(), st.lists(hosts, min_size=1, max_size=9))
def test_whatever_the_world_answers(data: st.DataObject, root: list[str]) -> None:
    delegations = DelegationCache()
    latest = 0.0
    for _ in range(2):  # the second walk starts from what the first one left behind
        play = Playbook(f"{SUBJECT}/X", *map(site, root), delegations=delegations)
        for _ in range(DEFAULT_LIMITS.queries):
            if play.pending is None:
                break
            play << data.draw(events)
        assert play.pending is None
        assert isinstance(play.answer, (Values, Refused))
        spent = play.walk.budget
        asked = sum(1 for step in play.walk.steps if not step.cached)
        assert asked <= spent.queries
        assert asked <= DEFAULT_LIMITS.queries
        assert spent.sub_lookups <= DEFAULT_LIMITS.sub_lookups + 1
        assert play.now <= DEFAULT_LIMITS.seconds + 0.4
        latest = max(latest, play.now)
        known = delegations.closest(SUBJECT, latest)
        assert known is None or known.expires - latest <= 3600
