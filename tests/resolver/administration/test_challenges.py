"""Pending challenges: one use, a minute of life, bounded for each source and altogether."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import ChallengeExpired, Overloaded, Refusal, SessionUnknown
from resolver.administration.challenges import LIFE, Challenges, Limits
from resolver.codecs.handle.bodies.digest import digest_request
from resolver.codecs.handle.message import Message

REQUEST = Message(101, body=b"body", request_id=7)


def issue(challenges: Challenges, number: int, source: str = "a", now: float = 0.0, body: int = 0):
    return challenges.issue(number, Message(101, body=bytes(body)), source, None, now)


def test_a_challenge_holds_what_is_to_be_answered():
    challenges = Challenges()
    connection = object()
    made = challenges.issue(5, REQUEST, "a", connection, 0.0)
    assert made.digest == digest_request(REQUEST.header_and_body, REQUEST.version)
    assert len(made.nonce) == 16
    assert challenges.take(5, 1.0) is made
    assert made.connection is connection
    assert made.nonce != challenges.issue(6, REQUEST, "a", connection, 0.0).nonce


def test_an_answer_counts_once():
    challenges = Challenges()
    issue(challenges, 5)
    challenges.take(5, 1.0)
    with pytest.raises(ChallengeExpired):
        challenges.take(5, 1.0)


def test_a_late_answer_is_told_so():
    challenges = Challenges()
    issue(challenges, 5)
    issue(challenges, 6)
    challenges.take(5, LIFE - 0.1)
    with pytest.raises(ChallengeExpired):
        challenges.take(6, LIFE)
    assert len(challenges) == 0


def test_an_answer_to_nothing_is_told_that():
    with pytest.raises(SessionUnknown):
        Challenges().take(5, 0.0)


def test_a_challenge_ends_one_that_waits_under_its_number():
    challenges = Challenges()
    first, second = issue(challenges, 5), issue(challenges, 5)
    assert first.nonce != second.nonce
    assert challenges.take(5, 1.0) is second


def test_a_source_loses_its_oldest():
    challenges = Challenges(Limits(per_source=2))
    for number in (1, 2, 3):
        issue(challenges, number)
    issue(challenges, 4, "b")
    with pytest.raises(ChallengeExpired):
        challenges.take(1, 1.0)
    assert [challenges.take(number, 1.0) is not None for number in (2, 3, 4)] == [True] * 3


def test_octets_of_a_source_are_bounded():
    challenges = Challenges(Limits(octets_per_source=10_000))
    for number in (1, 2, 3):
        issue(challenges, number, body=4000)
    assert len(challenges) == 1


def test_a_full_house_is_busy_and_not_forgetful():
    challenges = Challenges(Limits(total=2))
    issue(challenges, 1, "a")
    issue(challenges, 2, "b")
    with pytest.raises(Overloaded):
        issue(challenges, 3, "c")
    assert challenges.take(1, 1.0)
    issue(challenges, 3, "c")
    with pytest.raises(Overloaded):
        issue(challenges, 4, "d", now=1.0)
    issue(challenges, 4, "d", now=LIFE)


steps = st.tuples(
    st.sampled_from(["issue", "take"]), st.integers(1, 6), st.sampled_from("ab"), st.integers(0, 40)
)


@given(st.lists(steps, max_size=60))
def test_what_waits_is_what_was_issued_and_not_taken(script: list[tuple[str, int, str, int]]):
    challenges, now, issued = Challenges(Limits(3, 9000, 5, 20_000)), 0.0, {}
    for step, number, source, seconds in script:
        now += seconds
        try:
            if step == "issue":
                issued[number] = (issue(challenges, number, source, now, 500), now + LIFE)
            else:
                made, until = issued.pop(number, (None, 0.0))
                assert challenges.take(number, now) is made
                assert now < until
        except Refusal:
            continue
        assert len(challenges) <= 5
