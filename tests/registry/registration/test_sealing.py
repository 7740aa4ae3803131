"""Registration on a node that signs: record and signature are one, whatever is changed."""

from __future__ import annotations

import asyncio
import threading

import pytest
import pytest_asyncio

from registry.audit.log import Actor
from registry.clock import ManualClock
from registry.errors import InvalidValue, NotFound
from registry.registration.changes import (
    MAX_VALUES,
    AddValues,
    Create,
    Delete,
    ModifyValues,
    RemoveValues,
)
from registry.registration.loading import Group
from registry.registration.registrar import Registrar
from registry.schemes.handle import Key
from registry.storage.backends import open_store
from registry.values.value import Value, decode_record, encode_record
from tests.support.trust import NOW, World, signer

ACTOR = Actor("operator@88.901", "http 127.0.0.1")
KEY = Key("88.901.7", "BOT-1")
URL = Value(1, b"URL", b"https://example.org/1")


@pytest_asyncio.fixture
async def store(store_url):
    store = await open_store(store_url)
    async with store.begin() as transaction:
        await transaction.home(["88.901", "88.901.7"])
    yield store
    await store.close()


@pytest_asyncio.fixture
async def registrar(store):
    registrar = Registrar(store, ManualClock(NOW), seal=signer("88.901").sealed)
    yield registrar
    await registrar.aclose()


@pytest.fixture
def world() -> World:
    return World("88", "88.901")


def indexes(record: bytes) -> list[int]:
    return [value.index for value in decode_record(record)]


async def test_what_is_registered_is_signed(store, registrar, world):
    done = await registrar.submit(Create(KEY, [URL]), ACTOR)
    record = await store.reads.record(*KEY)
    assert record == done.after.record
    assert indexes(record) == [1, 400]
    assert world.verify(KEY, record).trusted


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (ModifyValues(KEY, [Value(1, b"URL", b"https://example.org/2")]), [1, 400]),
        (AddValues(KEY, [Value(2, b"URL", b"x")]), [1, 2, 400]),
        (Create(KEY, [Value(7, b"URL", b"x")], overwrite=True), [7, 400]),
        (RemoveValues(KEY, [400]), [1, 400]),
        (RemoveValues(KEY, [1]), []),
        (ModifyValues(KEY, [Value(400, b"URL", b"x")]), [1, 400, 401]),
    ],
    ids=lambda parameter: type(parameter).__name__,
)
async def test_a_change_remakes_the_signature(store, registrar, world, change, left):
    await registrar.submit(Create(KEY, [URL]), ACTOR)
    await registrar.submit(change, ACTOR)
    record = await store.reads.record(*KEY)
    assert indexes(record) == left
    assert world.verify(KEY, record).trusted is bool(left)


async def test_changes_in_one_group_end_in_one_signature(store, registrar, world):
    added = AddValues(KEY, [Value(2, b"URL", b"x")])
    first, second = await asyncio.gather(
        *(registrar.submit(change, ACTOR) for change in (Create(KEY, [URL]), added))
    )
    record = await store.reads.record(*KEY)
    assert second.after.record == record
    assert (first.created, second.after.version) == (True, 2)
    assert world.verify(KEY, record).values.verified == (1, 2)


async def test_signatures_of_others_stay(store, registrar, world):
    text = signer("88").sign(KEY, encode_record([URL]), NOW)
    await registrar.submit(Create(KEY, [URL, Value(400, b"HS_SIGNATURE", text)]), ACTOR)
    record = await store.reads.record(*KEY)
    assert [one.issuer for one in world.verify(KEY, record).signatures] == [
        "300:0.NA/88",
        "300:0.NA/88.901",
    ]
    await registrar.submit(ModifyValues(KEY, [Value(1, b"URL", b"x")]), ACTOR)
    report = world.verify(KEY, await store.reads.record(*KEY))
    assert report.trusted
    assert [one.values.bad for one in report.signatures] == [(1,), ()]


async def test_a_forged_signature_of_the_node_is_replaced(store, registrar, world):
    text = signer("88.901", "stolen").sign(KEY, encode_record([URL]), NOW)
    await registrar.submit(Create(KEY, [URL, Value(9, b"HS_SIGNATURE", text)]), ACTOR)
    assert indexes(await store.reads.record(*KEY)) == [1, 400]


async def test_secrets_are_neither_signed_nor_given_away(store, registrar):
    secret = Value(300, b"HS_SECKEY", b"secret", permissions=0b1100)
    await registrar.submit(Create(KEY, [secret]), ACTOR)
    assert indexes(await store.reads.record(*KEY)) == [300]


async def test_without_room_for_the_signature_nothing_is_done(store, registrar):
    values = [Value(index, b"URL", b"x") for index in range(1, MAX_VALUES + 1)]
    changes = (Create(KEY, [URL]), Create(KEY, values, overwrite=True))
    outcomes = await asyncio.gather(
        *(registrar.submit(change, ACTOR) for change in changes), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [InvalidValue, InvalidValue]
    assert await store.reads.record(*KEY) is None
    await registrar.submit(Create(KEY, values[:-1]), ACTOR)
    await registrar.submit(ModifyValues(KEY, [URL]), ACTOR)
    assert len(indexes(await store.reads.record(*KEY))) == MAX_VALUES


async def test_refusals_and_deletions_are_what_they_are(store, registrar):
    await registrar.submit(Create(KEY, [URL]), ACTOR)
    done = await registrar.submit(Delete(KEY), ACTOR)
    assert done.after is None
    with pytest.raises(NotFound):
        await registrar.submit(Delete(KEY), ACTOR)


async def test_every_row_of_a_bulk_load_is_signed(store, registrar, world):
    records = [(f"BOT-{number}", encode_record([URL])) for number in range(100)]
    assert await registrar.load("88.901.7", records, ACTOR) == 100
    async for row in store.reads.scan("88.901.7"):
        assert indexes(row.record) == [1, 400]
        assert world.verify(row.key, row.record).trusted
    assert await registrar.load("88.901.7", records, ACTOR) == 0


async def test_a_row_without_room_for_the_signature_is_refused(store, registrar):
    full = encode_record([Value(index, b"URL", b"x") for index in range(1, MAX_VALUES + 1)])
    group = Group("88.901.7", ["FULL", "BOT-1"], [full, encode_record([URL])])
    (added,) = await registrar.add([group], ACTOR)
    assert [*added.there] == []
    assert [*added.refused] == ["FULL"]
    assert [row.suffix async for row in store.reads.scan("88.901.7")] == ["BOT-1"]
    with pytest.raises(InvalidValue):
        await registrar.load("88.901.7", [("FULL", full)], ACTOR)


@pytest.mark.parametrize("load", [False, True])
async def test_signing_leaves_the_event_loop_alone(store, load):
    threads = []

    def seal(key: Key, record: bytes, now: int) -> bytes:
        threads.append(threading.current_thread())
        return record

    registrar = Registrar(store, ManualClock(NOW), seal=seal)
    if load:
        await registrar.load(KEY.prefix, [(KEY.suffix, encode_record([URL]))], ACTOR)
    else:
        await registrar.submit(Create(KEY, [URL]), ACTOR)
    await registrar.aclose()
    assert threads
    assert threading.main_thread() not in threads
