"""Several processes of a node write to one store: the audit log stays one unbroken chain."""

from __future__ import annotations

import asyncio

import pytest

from registry.audit.accounting import check_rows
from registry.audit.ledger import Ledger
from registry.audit.log import Actor, verify
from registry.clock import ManualClock
from registry.registration.changes import Create, PutValues
from registry.registration.grouping import Done
from registry.registration.registrar import Registrar
from registry.schemes.handle import Key
from registry.storage.backends import open_store
from registry.storage.books import SqlBooks, look_into
from registry.values.value import Value, encode_record
from tests.support.registering_writer import check_kept, killed_while_registering

PREFIX = "88.901"
ACTOR = Actor("test", "test")
URL = Value(1, b"URL", b"https://example.test/")


async def whole(url: str) -> int:
    """The number of entries of a store's log, which is whole and says what is stored."""

    def look(books: SqlBooks) -> int:
        assert [*verify(books.entries(), [], lambda _: False), *check_rows(books)] == []
        return books.count()

    return await look_into(url, look)


async def test_writers_of_two_stores_take_turns(store_url: str) -> None:
    stores = [await open_store(store_url) for _ in range(2)]
    registrars = [Registrar(store, ManualClock(), group_size=3) for store in stores]
    await registrars[0].home([PREFIX], ACTOR)
    await registrars[1].home(["88.902"], ACTOR)
    changes = [Create(Key(PREFIX, f"N-{number}"), [URL]) for number in range(40)]
    loads = [(f"L-{number}", encode_record([URL])) for number in range(30)]
    done = await asyncio.gather(
        *(registrars[at % 2].submit(change, ACTOR) for at, change in enumerate(changes)),
        *(registrar.load(PREFIX, loads[at::2], ACTOR) for at, registrar in enumerate(registrars)),
    )
    assert all(isinstance(each, Done) for each in done[:40])
    assert done[40:] == [15, 15]
    # What one wrote the other one goes on from.
    for registrar in registrars:
        again = await registrar.submit(PutValues(Key(PREFIX, "N-0"), [URL]), ACTOR)
        head = registrar.ledger.head
    assert again.after is not None
    assert again.after.version == 3
    assert head is not None
    assert await whole(store_url) == head.sequence == 46
    for registrar, store in zip(registrars, stores, strict=True):
        await registrar.aclose()
        await store.close()


async def test_writers_in_two_processes_are_killed(store_url: str) -> None:
    acknowledged = await asyncio.gather(
        *(
            asyncio.to_thread(killed_while_registering, store_url, name, after=150)
            for name in ("first", "second")
        )
    )
    store = await open_store(store_url)
    await check_kept(store, set.union(*acknowledged))
    ledger = Ledger(store, ManualClock())
    entries = (await ledger.open()).sequence
    await store.close()
    assert await whole(store_url) == entries >= 300


async def test_the_end_is_not_known_behind_a_transaction_that_failed(store_url: str) -> None:
    store = await open_store(store_url)
    ledger = Ledger(store, ManualClock())
    assert (await ledger.open()).sequence == 0
    with pytest.raises(ZeroDivisionError):
        async with ledger.begin():
            raise ZeroDivisionError
    assert ledger.head is None
    async with ledger.begin():
        pass
    assert ledger.head is not None
    await store.close()
