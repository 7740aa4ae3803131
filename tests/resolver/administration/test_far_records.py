"""Records of other nodes that rights rest on: who is asked, how often, how long it counts."""

from __future__ import annotations

import asyncio

import pytest

from registry.clock import ManualClock
from registry.errors import AuthenticationUnchecked, NotAnAdministrator, Overloaded
from registry.membership import Identity
from registry.schemes.handle import Key
from resolver.administration.far_records import (
    ABSENT_TTL,
    FOUND_TTL,
    MAX_READ,
    FarRecords,
    NotAtHand,
)

ALICE = Identity(Key("88.901", "ALICE"), 300)
BOB = Identity(Key("88.901", "BOB"), 300)
GROUP = Key("88.902", "GROUP")
GONE = Key("88.902", "GONE")


class Far:
    """Other nodes with these records; `gate` holds their answers up, `asked` is what they heard."""

    def __init__(self) -> None:
        self.records: dict[Key, bytes] = {GROUP: b"group"}
        self.asked: list[Key] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.silence: Exception | None = None

    async def record(self, key: Key) -> bytes | None:
        self.asked.append(key)
        await self.gate.wait()
        if self.silence is not None:
            raise self.silence
        return self.records.get(key)


@pytest.fixture
def far() -> Far:
    return Far()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def known(far: Far, clock: ManualClock) -> FarRecords:
    return FarRecords(far, clock)


async def read(known: FarRecords, key: Key, asker: Identity = ALICE) -> bytes | None:
    async def attempt() -> bytes | None:
        return known.record(key)

    return await known.provide(asker, attempt)


async def test_nobody_is_asked_at_the_moment_of_the_decision(known: FarRecords, far: Far):
    with pytest.raises(NotAtHand):
        known.record(GROUP)
    assert not far.asked


@pytest.mark.parametrize(("key", "ttl"), [(GROUP, FOUND_TTL), (GONE, ABSENT_TTL)])
async def test_an_answer_counts_for_a_while(
    known: FarRecords, far: Far, clock: ManualClock, key: Key, ttl: float
):
    for _ in range(3):
        assert await read(known, key) == far.records.get(key)
    assert far.asked == [key]
    clock.advance(ttl)
    far.records.clear()
    assert await read(known, key) is None
    assert far.asked == [key, key]


async def test_silence_grants_nothing_and_is_not_asked_for_again_at_once(
    known: FarRecords, far: Far, clock: ManualClock
):
    far.silence = AuthenticationUnchecked("nobody answers")
    assert [await read(known, GROUP), await read(known, GROUP)] == [None, None]
    assert len(far.asked) == 1
    far.silence = None
    clock.advance(ABSENT_TTL)
    assert await read(known, GROUP) == b"group"


async def test_too_much_at_once_is_said_and_not_remembered(known: FarRecords, far: Far):
    far.silence = Overloaded("too many")
    with pytest.raises(Overloaded):
        await read(known, GROUP)
    far.silence = None
    assert await read(known, GROUP) == b"group"


async def test_everybody_has_one_question_under_way(known: FarRecords, far: Far):
    far.gate.clear()
    keys = [Key("88.902", f"G{number}") for number in range(3)]
    reading = [asyncio.create_task(read(known, key, ALICE)) for key in (*keys, keys[0])]
    reading.append(asyncio.create_task(read(known, GROUP, BOB)))
    for _ in range(5):
        await asyncio.sleep(0)
    assert far.asked == [keys[0], GROUP]
    far.gate.set()
    assert await asyncio.gather(*reading) == [None, None, None, None, b"group"]
    assert sorted(far.asked) == sorted([*keys, GROUP])


async def test_one_decision_takes_so_many_records_and_no_more(known: FarRecords, far: Far):
    async def attempt() -> None:
        for number in range(MAX_READ + 1):
            known.record(Key("88.902", f"G{number}"))

    with pytest.raises(NotAtHand) as refused:
        await known.provide(ALICE, attempt)
    assert refused.value.outcome.handle == 406
    assert len(far.asked) == MAX_READ


async def test_other_refusals_are_final(known: FarRecords, far: Far):
    async def attempt() -> None:
        raise NotAnAdministrator()

    with pytest.raises(NotAnAdministrator):
        await known.provide(ALICE, attempt)
    assert not far.asked
