"""Every cap holds at N and ends the walk at N + 1."""

from __future__ import annotations

import pytest

from registry import outcomes
from registry.values.site import QUERY, TCP, UDP, Interface
from resolver.query import Refused, Values
from resolver.recursion.budget import DEFAULT_LIMITS, Limits
from resolver.recursion.targets import Fault
from tests.support.playbook import (
    TIMEOUT,
    Playbook,
    after,
    asks,
    ends,
    referral,
    service_referral,
    site,
    sites_values,
    values,
)

NAMELESS = Refused(outcomes.NOT_FOUND)
UDP_ONLY = (Interface(QUERY, UDP, 2641),)
TCP_ONLY = (Interface(QUERY, TCP, 2641),)
GENEROUS = Limits(seconds=1000.0)


def host(number: int) -> str:
    return f"10.1.{number // 250}.{number % 250 + 1}"


def test_the_caps_are_these():
    assert Limits(32, 8, 4, 2, 8, 100_000, 5.0) == DEFAULT_LIMITS


@pytest.mark.parametrize(
    ("servers", "outcome"), [(31, outcomes.OK), (32, outcomes.RESOLUTION_LIMIT)]
)
def test_queries(servers, outcome):
    """31 servers that refuse and one that answers are 32 questions; 32 and one are not."""
    refusers = [site(host(number), interfaces=UDP_ONLY) for number in range(servers)]
    good = site("10.9.9.9", interfaces=UDP_ONLY)
    play = Playbook("88/X", *refusers, good, limits=Limits(sites=100))
    for _ in range(min(servers, 32)):
        play << Refused(outcomes.INTERNAL)
    if play.pending is not None:
        play >> asks("10.9.9.9") << values()
    play >> ends(outcome)
    assert len(play.walk.steps) == 32


@pytest.mark.parametrize(("depth", "outcome"), [(8, outcomes.OK), (9, outcomes.RESOLUTION_LIMIT)])
def test_referral_depth(depth, outcome):
    prefix = ".".join(["88"] * 12)
    play = Playbook(f"{prefix}/X", site("10.0.0.1"))
    for level in range(1, depth + 1):
        play << referral(".".join(["88"] * level), site(host(level)))
    if play.pending is not None:
        play << values()
    play >> ends(outcome)
    assert play.walk.referrals == depth


def test_the_depth_goes_on_in_the_look_up_of_a_service():
    play = Playbook("88.1.2/X", site("10.0.0.1"), limits=Limits(referrals=2))
    play << service_referral("88", "99.1/SERVICE") << referral("99", site("10.0.9.1"))
    play << referral("99.1", site("10.0.9.2")) >> ends(outcomes.RESOLUTION_LIMIT)


@pytest.mark.parametrize(("dead", "outcome"), [(3, outcomes.OK), (4, outcomes.UPSTREAM_TIMEOUT)])
def test_sites_of_one_prefix(dead, outcome):
    sites = [site(host(number), interfaces=TCP_ONLY) for number in range(dead)]
    play = Playbook("88/X", *sites, site("10.9.9.9", interfaces=TCP_ONLY))
    for _ in range(dead):
        play << Fault.UNREACHABLE
    if play.pending is not None:
        play >> asks("10.9.9.9", "tcp") << values()
    play >> ends(outcome)


@pytest.mark.parametrize("servers", [1, 2, 3, 7])
def test_servers_of_one_site(servers):
    play = Playbook("88/X", site(*map(host, range(servers)), interfaces=TCP_ONLY))
    asked = set()
    while play.pending is not None:
        asked.add(play.pending.attempt.target.host)
        play << Fault.UNREACHABLE
    assert len(asked) == min(servers, 2)


@pytest.mark.parametrize(("names", "outcome"), [(8, outcomes.OK), (9, outcomes.RESOLUTION_LIMIT)])
def test_sub_lookups(names, outcome):
    services = [f"99/S{number}" for number in range(names)]
    play = Playbook("88/X", site("10.0.0.1")) << service_referral("88", *services)
    for _ in range(min(names, 9) - 1):
        play << NAMELESS
    if play.pending is not None:
        play >> asks("10.0.0.1", question=services[-1]) << sites_values(site("10.9.9.9"))
        play >> asks("10.9.9.9") << values()
    play >> ends(outcome)


@pytest.mark.parametrize(
    ("octets", "outcome"), [(100_000, outcomes.OK), (100_001, outcomes.RESOLUTION_LIMIT)]
)
def test_octets(octets, outcome):
    play = Playbook("88/X", site("10.0.0.1"))
    play << after(0.01, referral("88", site("10.0.1.1")), octets=40_000)
    play << after(0.01, values(), octets=octets - 40_000)
    play >> ends(outcome)


@pytest.mark.parametrize(
    ("seconds", "outcome"), [(4.99, outcomes.OK), (5.0, outcomes.UPSTREAM_TIMEOUT)]
)
def test_wall_time(seconds, outcome):
    play = Playbook("88/X", site("10.0.0.1")) << after(seconds, referral("88", site("10.0.1.1")))
    if play.pending is not None:
        assert play.pending.seconds == pytest.approx(0.01)
        play << values()
    play >> ends(outcome)


def test_the_last_question_waits_no_longer_than_the_walk_may_last():
    play = Playbook("88/X", site("10.0.0.1"), limits=Limits(seconds=0.8)) << TIMEOUT
    assert play.pending is not None
    assert play.pending.seconds == pytest.approx(0.3)
    play << TIMEOUT >> ends(outcomes.UPSTREAM_TIMEOUT)


def test_the_refusal_names_the_cap():
    play = Playbook("88/X", site("10.0.0.1"), limits=Limits(octets=10)) << values()
    assert isinstance(play.answer, Refused)
    assert play.answer.detail == "the limit of 10 octets is spent"


def test_generous_limits_let_a_long_walk_end():
    play = Playbook("88/X", site("10.0.0.1"), limits=GENEROUS)
    play << after(900.0, referral("88", site("10.0.1.1"))) << values() >> ends()
    assert isinstance(play.answer, Values)
