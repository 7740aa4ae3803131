"""The index of values follows what is registered, on every backend."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from registry.audit.log import Actor
from registry.clock import ManualClock
from registry.registration.changes import Create, Delete
from registry.registration.registrar import Registrar
from registry.schemes.handle import Key
from registry.search.indexing import Indexer
from registry.search.searching import Wanted, reach_of, search
from registry.storage import searching
from registry.storage.backends import open_store
from registry.storage.interface import Store
from registry.values.value import Value, encode_record

PREFIX = "88.901.7"
ACTOR = Actor("tester", "test")


class Indexed:
    """A store, its registrar and its indexer, which runs when it is told to."""

    def __init__(self, store: Store, registrar: Registrar) -> None:
        self.store = store
        self.registrar = registrar
        self.indexer = Indexer(store, registrar.ledger)

    async def put(self, suffix: str, *texts: str) -> None:
        values = [Value(at, b"NOTE", text.encode()) for at, text in enumerate(texts, 1)]
        await self.registrar.submit(Create(Key(PREFIX, suffix), values, overwrite=True), ACTOR)

    async def load(self, *suffixes: str, text: str) -> None:
        record = encode_record([Value(1, b"NOTE", text.encode())])
        await self.registrar.load(PREFIX, ((suffix, record) for suffix in suffixes), ACTOR)

    async def found(self, text: str) -> list[str]:
        """The suffixes that are found by a text, in the order in which they are."""
        wanted = Wanted([reach_of(PREFIX)], lambda _: True, data=text.encode())
        rows, following = await search(self.store.reads, wanted, None, 1000)
        assert following is None
        return [row.suffix for row in rows]


@asynccontextmanager
async def opened(url: str, *, indexed: bool = True) -> AsyncIterator[Indexed]:
    store = await open_store(url)
    registrar = Registrar(store, ManualClock(1_800_000_000), indexed=indexed)
    await registrar.ledger.open()
    await registrar.home([PREFIX], ACTOR)
    try:
        yield Indexed(store, registrar)
    finally:
        await registrar.aclose()
        await store.close()


async def test_single_changes_are_followed(store_url: str) -> None:
    async with opened(store_url) as it:
        await it.put("A", "red", "round")
        await it.put("B", "red")
        await it.indexer.catch_up()
        assert it.indexer.through == await it.store.reads.last_entry()
        assert await it.found("red") == ["A", "B"]
        await it.put("A", "blue", "round")
        await it.registrar.submit(Delete(Key(PREFIX, "B")), ACTOR)
        # The index does not know yet, and what is found is true all the same.
        assert await it.found("red") == []
        assert await it.found("blue") == []
        await it.indexer.catch_up()
        assert await it.found("blue") == await it.found("round") == ["A"]
        await it.put("B", "red")
        await it.put("A", "red", "round")
        await it.indexer.catch_up()
        assert await it.found("red") == ["A", "B"]


async def test_bulk_loads_are_followed_and_then_remembered_no_longer(store_url: str) -> None:
    async with opened(store_url) as it:
        await it.indexer.catch_up()
        await it.load("A", "B", text="red")
        await it.put("A", "blue")
        await it.load("C", text="red")
        entry = await it.store.reads.last_entry()
        assert await it.store.reads.batch(entry) == ["C"]
        await it.indexer.catch_up()
        assert await it.found("red") == ["B", "C"]
        assert await it.found("blue") == ["A"]
        assert await it.store.reads.batch(entry) is None


async def test_what_was_stored_before_is_taken_in(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.search.indexing.STEP", 3)
    async with opened(store_url, indexed=False) as it:
        await it.load(*"ABCDEFG", text="red")
        await it.put("C", "blue")
        await it.indexer.catch_up()
        assert await it.found("red") == [*"ABDEFG"]
        assert await it.found("blue") == ["C"]
        # Another one goes on where the first one was, and finds a batch that nobody remembered.
        await it.load("H", text="red")
        await Indexer(it.store, it.registrar.ledger).catch_up()
        assert await it.found("red") == [*"ABDEFGH"]


async def test_an_identifier_is_in_one_run_only(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "RUN", 2)
    async with opened(store_url) as it:
        for text in ("red", "blue", "red", "blue"):
            await it.put("A", text)
            await it.put("Z", text)
            await it.indexer.catch_up()
        await it.load(*"CBD", text="blue")
        await it.indexer.catch_up()
        assert len(await it.store.reads.search_runs()) == 3
        assert await it.found("red") == []
        assert await it.found("blue") == ["A", "Z", "B", "C", "D"]


async def test_pages_go_through_runs(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "RUN", 5)
    names = [f"S{number:02}" for number in range(23)]
    async with opened(store_url) as it:
        for start in range(0, 23, 4):
            await it.load(*names[start : start + 4], text="red")
            await it.indexer.catch_up()
        for limit in (1, 2, 7, 23):
            wanted = Wanted([reach_of(PREFIX)], lambda _: True, data=b"red", type=b"note", index=1)
            seen, place = [], None
            while len(seen) < 30:
                page = await search(it.store.reads, wanted, place, limit)
                seen += [row.suffix for row in page.rows]
                place = page.next
                if place is None:
                    break
            assert seen == names


async def test_two_indexers_do_not_disturb_one_another(new_store_url: Callable[[], str]) -> None:
    async with opened(new_store_url()) as it:
        other = Indexer(it.store, it.registrar.ledger)
        await it.load("A", "B", text="red")
        await it.indexer.start()
        await other.start()
        await it.indexer.catch_up()
        await other.catch_up()
        assert await it.found("red") == ["A", "B"]
        await it.indexer.aclose()
        await other.aclose()
