"""A walk as a dialogue with the nodes it asks."""

from __future__ import annotations

import pytest

from registry import outcomes
from registry.values.site import QUERY, TCP, UDP, Interface
from resolver.query import Referral, Refused, Values
from resolver.recursion.targets import Fault
from resolver.recursion.trace import Step
from tests.support.playbook import (
    TIMEOUT,
    Playbook,
    after,
    asks,
    ends,
    prefix_referral,
    referral,
    service_referral,
    site,
    site_record,
    sites_values,
    values,
)

ROOT_HOST, NATIONAL_HOST, SECTOR_HOST, MIRROR_HOST = "10.0.0.1", "10.0.1.1", "10.0.2.1", "10.0.2.2"
ROOT = site(ROOT_HOST, node="root", role="root")
NATIONAL = site(NATIONAL_HOST, node="chongqing", role="national")
SECTOR = site(SECTOR_HOST, node="baijiu", role="sector")
MIRROR = site(MIRROR_HOST, node="baijiu-2", role="sector", primary=False)
ENTERPRISE = site("10.0.3.1", node="distillery", role="enterprise")
IDENTIFIER = "88.901.7/BOT-000001"
NOT_FOUND = Refused(outcomes.NOT_FOUND)
NOT_RESPONSIBLE = Refused(outcomes.NOT_RESPONSIBLE)


def at_sector(identifier: str = IDENTIFIER, *sites: object) -> Playbook:
    """A walk that has been referred to the sector's sites."""
    return (
        Playbook(identifier, ROOT)
        >> asks(ROOT_HOST)
        << referral("88", NATIONAL)
        >> asks(NATIONAL_HOST)
        << referral("88.901", *(sites or (SECTOR,)))  # type: ignore[arg-type]
    )


def test_from_the_root_to_the_enterprise():
    play = (
        at_sector()
        >> asks(SECTOR_HOST, zone="88.901")
        << referral("88.901.7", ENTERPRISE)
        >> asks("10.0.3.1", question=IDENTIFIER)
        << values("https://example.org/bottle")
        >> ends()
    )
    assert isinstance(play.answer, Values)
    assert b"https://example.org/bottle" in play.answer.record
    assert [step.role for step in play.walk.steps] == ["root", "national", "sector", "enterprise"]


def test_the_steps_are_the_trace():
    play = Playbook(IDENTIFIER, ROOT) << referral("88", NATIONAL) << TIMEOUT << values() >> ends()
    assert play.walk.steps == [
        Step("root", "root", f"{ROOT_HOST}:2641", "hdl+udp", IDENTIFIER,
             "302 referral to 0.NA/88", 10.0),
        Step("chongqing", "national", f"{NATIONAL_HOST}:2641", "hdl+udp", IDENTIFIER,
             "timeout", 500.0),
        Step("chongqing", "national", f"{NATIONAL_HOST}:2641", "hdl+udp", IDENTIFIER,
             "1 ok, 1 value", 10.0),
    ]  # fmt: skip


def test_a_node_without_a_name_is_shown_by_its_endpoint():
    play = Playbook(IDENTIFIER, site("10.9.9.9")) << values() >> ends()
    assert (play.walk.steps[0].node, play.walk.steps[0].role) == ("10.9.9.9:2641", "")


def test_a_silent_server_is_asked_with_growing_patience_then_over_tcp():
    play = Playbook(IDENTIFIER, ROOT)
    for patience in (0.5, 1.0, 1.5):
        play >> asks(ROOT_HOST)
        assert play.pending is not None
        assert play.pending.seconds == patience
        play << TIMEOUT
    play >> asks(ROOT_HOST, "tcp") << TIMEOUT >> ends(outcomes.UPSTREAM_TIMEOUT)
    assert play.now == 5.0


def test_the_second_server_is_asked_before_the_first_one_again():
    play = at_sector(IDENTIFIER, SECTOR, MIRROR)
    play >> asks(SECTOR_HOST) << TIMEOUT >> asks(MIRROR_HOST) << values() >> ends()


def test_primary_sites_are_asked_first():
    at_sector(IDENTIFIER, MIRROR, SECTOR) >> asks(SECTOR_HOST)


def test_a_closed_port_is_not_asked_again_but_tcp_is_tried():
    play = Playbook(IDENTIFIER, ROOT) >> asks(ROOT_HOST) << Fault.UNREACHABLE
    play >> asks(ROOT_HOST, "tcp") << Fault.UNREACHABLE >> ends(outcomes.UPSTREAM_TIMEOUT)


def test_half_a_reply_goes_to_tcp_of_the_same_server_at_once():
    play = at_sector(IDENTIFIER, SECTOR, MIRROR) >> asks(SECTOR_HOST) << Fault.TRUNCATED
    play >> asks(SECTOR_HOST, "tcp") << values() >> ends()


def test_a_server_of_tcp_alone_is_asked_over_tcp():
    only_tcp = site("10.0.5.1", interfaces=(Interface(QUERY, TCP, 2641),))
    Playbook(IDENTIFIER, only_tcp) >> asks("10.0.5.1", "tcp") << values() >> ends()


@pytest.mark.parametrize("host", ["0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "ff02::1"])
def test_addresses_that_are_no_hosts_are_never_asked(host):
    Playbook(IDENTIFIER, site(host)) >> ends(outcomes.UPSTREAM_BAD)


def test_a_port_out_of_range_is_never_asked():
    odd = site("10.0.5.1", interfaces=(Interface(QUERY, UDP, 65_536), Interface(QUERY, TCP, 0)))
    Playbook(IDENTIFIER, odd) >> ends(outcomes.UPSTREAM_BAD)


@pytest.mark.parametrize(
    "outcome", [outcomes.NOT_FOUND, outcomes.VALUES_NOT_FOUND, outcomes.INVALID_IDENTIFIER]
)
def test_a_denial_is_an_answer(outcome):
    at_sector() << Refused(outcome) >> ends(outcome)


@pytest.mark.parametrize("outcome", [outcomes.INTERNAL, outcomes.BUSY, outcomes.NOT_RESPONSIBLE])
def test_any_other_refusal_makes_the_next_server_be_asked(outcome):
    play = at_sector(IDENTIFIER, SECTOR, MIRROR) << Refused(outcome)
    play >> asks(MIRROR_HOST) << Refused(outcome) >> ends(outcomes.UPSTREAM_BAD)


def test_what_the_root_has_not_delegated_does_not_exist():
    Playbook("99.1/X", ROOT) << NOT_RESPONSIBLE >> ends(outcomes.NOT_FOUND)


# The records of prefixes: homed at the parent, found by prefix referrals that name no prefix.


def test_the_record_of_a_prefix_is_looked_for_at_its_parent():
    play = Playbook("0.NA/88.901.7", ROOT) << prefix_referral(NATIONAL)
    play >> asks(NATIONAL_HOST, zone="88") << prefix_referral(SECTOR)
    play >> asks(SECTOR_HOST, zone="88.901") << values() >> ends()
    assert len(play.delegations) == 0  # nobody said whose sites these are


def test_the_record_of_the_root_is_the_roots():
    Playbook("0.NA/0.NA", ROOT) << prefix_referral(NATIONAL) >> ends(outcomes.RESOLUTION_LOOP)


# Bailiwick: a node speaks of what is strictly below it and on the way to what was asked.


@pytest.mark.parametrize(
    ("target", "outcome"),
    [
        ("88.902", outcomes.UPSTREAM_BAD),  # a neighbour
        ("88.9", outcomes.UPSTREAM_BAD),  # characters in common, not segments
        ("88.901.7.1", outcomes.UPSTREAM_BAD),  # below what was asked
        ("99", outcomes.UPSTREAM_BAD),
        ("88.901", outcomes.RESOLUTION_LOOP),  # itself
        ("88", outcomes.RESOLUTION_LOOP),  # its parent
    ],
)
def test_a_referral_out_of_bailiwick_is_not_followed(target, outcome):
    forger = site("10.6.6.6")
    forged = referral(target, forger)
    play = at_sector(IDENTIFIER, SECTOR, MIRROR) << forged >> asks(MIRROR_HOST) << forged
    play >> ends(outcome)
    known = [play.delegations.closest(prefix, play.now) for prefix in ("88.901.7", target)]
    assert all(zone is None or forger not in zone.sites for zone in known)


def test_a_good_mirror_makes_up_for_a_poisoned_server():
    play = at_sector(IDENTIFIER, SECTOR, MIRROR) << referral("88.902", site("10.6.6.6"))
    play >> asks(MIRROR_HOST) << values() >> ends()


def test_a_referral_without_readable_sites_is_not_followed():
    broken = Referral(outcomes.SERVICE_REFERRAL, "88", b"\0\0\0\x09", 60)
    Playbook(IDENTIFIER, ROOT) << broken >> ends(outcomes.UPSTREAM_BAD)


def test_a_service_referral_must_name_its_prefix():
    unnamed = Referral(outcomes.SERVICE_REFERRAL, "", site_record(NATIONAL), 60)
    Playbook(IDENTIFIER, ROOT) << unnamed >> ends(outcomes.RESOLUTION_LOOP)


# Service handles: a handle that has the sites.


def test_a_service_handle_is_looked_up_first():
    play = Playbook(IDENTIFIER, ROOT) << service_referral("88", "99/SERVICE")
    play >> asks(ROOT_HOST, question="99/SERVICE") << sites_values(NATIONAL)
    play >> asks(NATIONAL_HOST, question=IDENTIFIER) << values() >> ends()


def test_the_next_service_handle_is_tried():
    play = Playbook(IDENTIFIER, ROOT) << service_referral("88", "99/GONE", "99/SERVICE")
    play >> asks(ROOT_HOST, question="99/GONE") << NOT_FOUND
    play >> asks(ROOT_HOST, question="99/SERVICE") << sites_values(NATIONAL)
    play >> asks(NATIONAL_HOST) << values() >> ends()


def test_a_service_handle_may_name_another_one():
    play = Playbook(IDENTIFIER, ROOT) << service_referral("88", "99/A")
    play >> asks(ROOT_HOST, question="99/A")
    play << Values(service_referral("", "99/B").record, 60)
    play >> asks(ROOT_HOST, question="99/B") << sites_values(NATIONAL)
    play >> asks(NATIONAL_HOST) << values() >> ends()


def test_service_handles_in_a_circle():
    play = Playbook(IDENTIFIER, ROOT) << service_referral("88", "99/A")
    play >> asks(ROOT_HOST, question="99/A") << Values(service_referral("", "99/B").record, 60)
    play >> asks(ROOT_HOST, question="99/B") << Values(service_referral("", "99/A").record, 60)
    play >> ends(outcomes.RESOLUTION_LOOP)


def test_a_service_handle_below_the_prefix_it_serves_is_a_circle():
    play = Playbook(IDENTIFIER, ROOT) << service_referral("88", "88/SERVICE")
    play >> asks(ROOT_HOST, question="88/SERVICE") << service_referral("88", "88/SERVICE")
    play >> ends(outcomes.RESOLUTION_LOOP)


def test_the_name_of_the_root_means_its_sites():
    play = Playbook(IDENTIFIER, ROOT) << service_referral("88", "0.NA/0.NA")
    play >> asks(ROOT_HOST, zone="88") << values() >> ends()


def test_a_referral_may_leave_the_sites_to_be_looked_up():
    play = Playbook(IDENTIFIER, ROOT) << Referral(outcomes.SERVICE_REFERRAL, "88", b"", 60)
    play >> asks(ROOT_HOST, question="0.NA/88") << sites_values(NATIONAL)
    play >> asks(NATIONAL_HOST) << values() >> ends()


# Delegations that are known already.


def test_a_known_delegation_saves_the_steps_above_it():
    first = at_sector() << values() >> ends()
    play = Playbook("88.901.8/Y", ROOT, delegations=first.delegations, now=first.now)
    play >> asks(SECTOR_HOST, zone="88.901") << values() >> ends()
    cached, asked = play.walk.steps
    assert (cached.cached, cached.node, cached.question) == (True, "baijiu", "0.NA/88.901")
    assert not asked.cached


def test_a_fresh_question_starts_at_the_root():
    first = at_sector() << values() >> ends()
    Playbook(IDENTIFIER, ROOT, delegations=first.delegations, now=first.now, fresh=True) >> asks(
        ROOT_HOST
    )


def test_a_known_delegation_that_fails_is_asked_for_again():
    first = at_sector() << values() >> ends()
    play = Playbook(IDENTIFIER, ROOT, delegations=first.delegations, now=first.now)
    play >> asks(SECTOR_HOST) << Fault.UNREACHABLE << Fault.UNREACHABLE
    play >> asks(ROOT_HOST) << referral("88", NATIONAL) << referral("88.901", MIRROR)
    play >> asks(MIRROR_HOST) << values() >> ends()


def test_an_answer_lives_no_longer_than_the_delegation_it_came_through():
    play = Playbook(IDENTIFIER, ROOT) << after(0.0, referral("88", NATIONAL, ttl=40))
    play << after(10.0, values(ttl=86_400))
    assert isinstance(play.answer, Values)
    assert play.answer.ttl == 30


def test_a_child_cannot_extend_its_own_life():
    play = Playbook(IDENTIFIER, ROOT) << after(0.0, referral("88", NATIONAL, ttl=9_999_999))
    play << after(0.0, referral("88.901", SECTOR)) << values() >> ends()
    delegations = play.delegations
    for now in range(0, 3600, 4):
        child = referral("88.901.7", ENTERPRISE, ttl=3600)
        again = Playbook(IDENTIFIER, ROOT, delegations=delegations, now=float(now))
        while again.pending is not None and again.pending.zone != "88.901":
            again << values()
        if again.pending is not None:
            again << after(0.0, child)
    assert delegations.closest("88.901.7", 3599.9) is not None
    assert delegations.closest("88.901.7", 3600.0) is None
