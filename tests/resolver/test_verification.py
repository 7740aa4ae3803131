"""The walk up a chain over resolution that fails in one way or another."""

from __future__ import annotations

import pytest

from registry import outcomes
from registry.clock import ManualClock
from registry.schemes.handle import prefix_record
from registry.trust.problems import Problem
from registry.values.value import Value, encode_record
from resolver.query import Referral, Refused, Values
from resolver.verification import Verifier
from tests.support.trust import BOTTLE, NOW, ROOT, World, signer

RECORD = signer("88.901").sealed(BOTTLE, encode_record([Value(1, b"URL", b"x")]), NOW)


async def verify(answers):
    """The report, with some answers other than those of an honest world."""
    world = World("88", "88.901")
    asked = []

    async def look_up(key):
        asked.append(key)
        return answers.get(key) or Values(world.records[key])

    report = await Verifier(look_up, world.roots, ManualClock(NOW)).verify(BOTTLE, RECORD)
    assert asked == [prefix_record("88.901"), prefix_record("88"), ROOT][: len(asked)]
    return report


async def test_certificates_are_looked_up_on_the_way():
    assert (await verify({})).trusted


@pytest.mark.parametrize("key", [prefix_record("88.901"), prefix_record("88"), ROOT])
@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Refused(outcomes.NOT_FOUND), Problem.NO_CERTIFICATE),
        (Refused(outcomes.VALUES_NOT_FOUND), Problem.NO_CERTIFICATE),
        (Refused(outcomes.UPSTREAM_TIMEOUT), Problem.UNANSWERED),
        (Refused(outcomes.BUSY), Problem.UNANSWERED),
        (Referral(outcomes.SERVICE_REFERRAL, "88", b""), Problem.UNANSWERED),
    ],
    ids=lambda parameter: parameter.name if isinstance(parameter, Problem) else "",
)
async def test_what_is_not_there_and_what_nobody_tells_are_two_things(key, answer, problem):
    report = await verify({key: answer})
    assert not report.trusted
    assert report.signatures[0].problem is problem
    assert report.values.bad == (1,)
