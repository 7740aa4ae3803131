"""Which answers to a trusted query are marked as trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from registry import outcomes
from registry.clock import ManualClock
from registry.values.value import PUBLIC_READ, Value, decode_record, encode_record
from resolver.query import Answer, Query, Refused, Values
from resolver.trusted_queries import TrustedQueries
from resolver.verification import Verifier
from tests.support.trust import BOTTLE, NOW, World, signer

URL, NOTE = Value(1, b"URL", b"x"), Value(2, b"NOTE", b"y")
HIDDEN = Value(3, b"KEY", b"z", permissions=15 & ~PUBLIC_READ)
SIGNED = decode_record(signer("88.901").sealed(BOTTLE, encode_record([URL, NOTE]), NOW))
FORGED = decode_record(signer("88.901", "x").sealed(BOTTLE, encode_record([URL, NOTE]), NOW))


async def trusted(
    record: Sequence[Value], shown: Sequence[Value] | None = None, whole: Answer | None = None
) -> bool:
    """The verdict on an answer with some values of a record, by default all."""
    world = World("88", "88.901")
    asked: list[Query] = []

    async def certificates(key):
        return Values(world.records[key])

    async def look_up(query: Query) -> Answer:
        asked.append(query)
        return whole or Values(encode_record(record))

    verifier = Verifier(certificates, world.roots, ManualClock(NOW))
    query = Query(str(BOTTLE).encode(), BOTTLE, (1,), (b"URL",), public_only=False, fresh=True)
    answer = Values(encode_record(record if shown is None else shown))
    verdict = await TrustedQueries(look_up, verifier).vouch(query, answer)
    assert asked == [Query(query.asked, BOTTLE)]
    return verdict


async def test_a_whole_record_as_its_signer_left_it():
    assert await trusted(SIGNED)


@pytest.mark.parametrize("shown", [SIGNED[:1], SIGNED[1:2], SIGNED[:2], SIGNED[1:]])
async def test_some_values_of_it(shown: list[Value]):
    assert await trusted(SIGNED, shown)


URL_OF_OTHERS = replace(URL, data=b"https://others.example/")
LATE = Value(4, b"DESC", b"added after the signature")


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        ([URL, NOTE], None),
        (FORGED, None),
        ([URL_OF_OTHERS, *SIGNED[1:]], None),
        ([URL_OF_OTHERS, *SIGNED[1:]], [URL_OF_OTHERS]),
        ([*SIGNED, LATE], None),
        ([*SIGNED, LATE], [URL, LATE]),
        ([*SIGNED, HIDDEN], [URL, HIDDEN]),
        (SIGNED[1:], None),
        (SIGNED[1:], [NOTE]),
        (SIGNED, SIGNED[2:]),
        (SIGNED, []),
        (SIGNED, [URL_OF_OTHERS]),
        (SIGNED, [replace(URL, index=2)]),
        (SIGNED, [replace(URL, timestamp=1)]),
        ([*SIGNED, URL_OF_OTHERS], [URL]),
        ([*SIGNED, replace(FORGED[2], index=401)], [URL, replace(FORGED[2], index=401)]),
    ],
)
async def test_everything_else(record: list[Value], shown: list[Value] | None):
    assert not await trusted(record, shown)


async def test_what_is_not_shown_may_be_unsigned_or_bad():
    assert await trusted([*SIGNED, LATE, HIDDEN], [URL])
    assert await trusted([URL_OF_OTHERS, *SIGNED[1:]], [NOTE])


async def test_what_cannot_be_looked_up_as_a_whole():
    assert not await trusted(SIGNED, whole=Refused(outcomes.STORAGE))
