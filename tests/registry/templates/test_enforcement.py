"""Registration against templates, on every store: what is refused leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from registry.audit.log import Actor
from registry.clock import ManualClock
from registry.errors import (
    AlreadyExists,
    InvalidValue,
    NotConforming,
    NotFound,
    StateConflict,
)
from registry.registration.changes import Change, Create, Delete, Move, PutValues, RemoveValues
from registry.registration.grouping import Done
from registry.registration.lifecycle import Operation as Step
from registry.registration.loading import Added, Group
from registry.registration.registrar import Registrar
from registry.schemes.handle import Key
from registry.storage.backends import open_store
from registry.storage.interface import Store
from registry.templates.claims import Claim
from registry.templates.office import Definition, TemplateOffice
from registry.templates.template import Item, Kind, Operation, State, Template
from registry.values.value import Value, encode_record

SECTOR = "88.901"
ACTOR = Actor("operator@88.901", "test")
NAME = Item(2000, "name", required=True, max_length=5)
SERIAL = Item(2001, "serial", unique=True)
LOT = Item(2002, "lot", kind=Kind.REFERENCE, references="88.901/LOT")


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    store = await open_store(store_url)
    async with store.begin() as transaction:
        await transaction.home([SECTOR])
    yield store
    await store.close()


@pytest_asyncio.fixture
async def registrar(store: Store) -> AsyncIterator[Registrar]:
    registrar = Registrar(store, ManualClock())
    await registrar.ledger.open()
    yield registrar
    await registrar.aclose()


@pytest_asyncio.fixture
async def office(registrar: Registrar) -> TemplateOffice:
    office = TemplateOffice(registrar.ledger)
    for name, items in (("BOTTLE", (NAME, SERIAL, LOT)), ("LOT", (NAME,))):
        await office.create(SECTOR, name, Definition("C1512", items), ACTOR)
        await office.move(SECTOR, name, Operation.PUBLISH, ACTOR)
    return office


def bottle(suffix: str, *, template: str = "88.901/BOTTLE", **items: str) -> Create:
    return Create(Key(SECTOR, suffix), record(template, **items))


def record(template: str = "88.901/BOTTLE", **items: str) -> list[Value]:
    indexes = {"name": 2000, "serial": 2001, "lot": 2002}
    values = [Value(1000, b"TEMPLATE_ID", template.encode())]
    return values + [Value(indexes[n], n.encode(), text.encode()) for n, text in items.items()]


async def submit(registrar: Registrar, *changes: Change) -> list[Done | BaseException]:
    """What comes of changes that are committed together."""
    waiting = (registrar.submit(change, ACTOR) for change in changes)
    return await asyncio.gather(*waiting, return_exceptions=True)


async def rules(registrar: Registrar, change: Change) -> list[tuple[str, str]]:
    """Which items are refused by which rule."""
    (verdict,) = await submit(registrar, change)
    if isinstance(verdict, Done):
        return []
    assert isinstance(verdict, NotConforming)
    return [(fault.item, fault.rule) for fault in verdict.faults]


async def test_records_that_name_a_template_are_held_against_it(
    office: TemplateOffice, registrar: Registrar, store: Store
) -> None:
    assert await rules(registrar, bottle("A", name="one")) == []
    assert await rules(registrar, bottle("B", name="toolong", serial="x")) == [("name", "length")]
    assert await rules(registrar, bottle("B", serial="x")) == [("name", "missing")]
    assert await store.reads.row(SECTOR, "B") is None
    assert await rules(registrar, RemoveValues(Key(SECTOR, "A"), [2000])) == [("name", "missing")]
    plain = Create(Key(SECTOR, "PLAIN"), [Value(2000, b"anything", b"goes, without a template")])
    assert await rules(registrar, plain) == []


@pytest.mark.parametrize("name", ["88.901/NONE", "88.902/BOTTLE"])
async def test_a_template_has_to_be_there(
    office: TemplateOffice, registrar: Registrar, name: str
) -> None:
    assert await rules(registrar, bottle("A", template=name, name="a")) == [("", "template")]


async def test_a_name_that_is_none_is_refused(office: TemplateOffice, registrar: Registrar) -> None:
    with pytest.raises(InvalidValue, match="prefix/name"):
        await registrar.submit(bottle("A", template="BOTTLE", name="a"), ACTOR)


async def test_a_unique_value_is_one_identifiers(
    office: TemplateOffice, registrar: Registrar, store: Store
) -> None:
    assert await rules(registrar, bottle("A", name="a", serial="1")) == []
    assert await rules(registrar, bottle("B", name="b", serial="1")) == [("serial", "unique")]
    assert await rules(registrar, PutValues(Key(SECTOR, "A"), record(serial="2"))) == []
    assert await rules(registrar, bottle("B", name="b", serial="1")) == []
    assert await rules(registrar, Delete(Key(SECTOR, "A"))) == []
    assert await rules(registrar, bottle("C", name="c", serial="2")) == []
    owners = {claim.owner.suffix for claim in await store.reads.dossiers(Claim)}
    assert owners == {"B", "C"}


async def test_of_a_group_the_first_has_the_value(
    office: TemplateOffice, registrar: Registrar, store: Store
) -> None:
    changes = [
        bottle("A", name="a", serial="1"),
        bottle("B", name="b", serial="1"),
        bottle("C", name="toolong", serial="2"),
        bottle("C", name="c", serial="3"),
        PutValues(Key(SECTOR, "A"), record(serial="4")),
        bottle("D", name="d", serial="1"),
    ]
    verdicts = await submit(registrar, *changes)
    assert [isinstance(verdict, Done) for verdict in verdicts] == [1, 0, 0, 1, 1, 1]
    owners = {claim.owner.suffix for claim in await store.reads.dossiers(Claim)}
    assert owners == {"A", "C", "D"}


async def test_a_refused_change_costs_nobody_the_value(
    office: TemplateOffice, registrar: Registrar
) -> None:
    assert await rules(registrar, bottle("A", name="a", serial="1")) == []
    verdicts = await submit(
        registrar,
        PutValues(Key(SECTOR, "A"), record(name="toolong", serial="2")),
        bottle("B", name="b", serial="1"),
    )
    assert [type(verdict) for verdict in verdicts] == [NotConforming, NotConforming]
    assert await rules(registrar, bottle("C", name="c", serial="1")) == [("serial", "unique")]


async def test_holding_leaves_the_claims(office: TemplateOffice, registrar: Registrar) -> None:
    assert await rules(registrar, bottle("A", name="a", serial="1")) == []
    assert await rules(registrar, Move(Key(SECTOR, "A"), Step.HOLD)) == []
    assert await rules(registrar, bottle("B", name="b", serial="1")) == [("serial", "unique")]


async def test_references_lead_to_records_of_their_template(
    office: TemplateOffice, registrar: Registrar
) -> None:
    lot, plain = Key(SECTOR, "LOT-1"), Key(SECTOR, "PLAIN")
    await registrar.submit(Create(plain, [Value(1, b"URL", b"https://a.example/")]), ACTOR)
    wanted = [("lot", "reference")]
    assert await rules(registrar, bottle("A", name="a", lot="88.901/LOT-1")) == wanted
    assert await rules(registrar, bottle("A", name="a", lot="88.901/PLAIN")) == wanted
    together = await submit(
        registrar,
        Create(lot, record("88.901/LOT", name="lot")),
        bottle("A", name="a", lot="88.901/LOT-1"),
    )
    assert [type(verdict) for verdict in together] == [Done, Done]
    assert await rules(registrar, bottle("B", name="b", lot="88.999/ELSEWHERE")) == []


async def test_what_was_withdrawn_takes_nothing_new(
    office: TemplateOffice, registrar: Registrar
) -> None:
    assert await rules(registrar, bottle("A", name="a")) == []
    await office.move(SECTOR, "BOTTLE", Operation.WITHDRAW, ACTOR)
    assert await rules(registrar, bottle("B", name="b")) == [("", "template")]
    assert await rules(registrar, PutValues(Key(SECTOR, "A"), record(name="aa"))) == []


async def test_a_version_can_be_named(office: TemplateOffice, registrar: Registrar) -> None:
    wider = Definition("C1512", (Item(2000, "name", max_length=50), SERIAL, LOT))
    await office.change(SECTOR, "BOTTLE", wider, ACTOR)
    assert await rules(registrar, bottle("A", name="toolong")) == [("name", "length")]
    await office.move(SECTOR, "BOTTLE", Operation.PUBLISH, ACTOR)
    assert await rules(registrar, bottle("A", name="toolong")) == []
    first = [*record(name="toolong"), Value(1001, b"TEMPLATE_VERSION", b"1")]
    assert await rules(registrar, Create(Key(SECTOR, "B"), first)) == [("name", "length")]


async def test_a_batch_is_held_against_templates_row_by_row(
    office: TemplateOffice, registrar: Registrar, store: Store
) -> None:
    assert await rules(registrar, bottle("OLD", name="a", serial="1")) == []
    rows = {
        "A": record(name="a", serial="2"),
        "B": record(name="b", serial="1"),
        "C": record(name="c", serial="2"),
        "D": record(name="toolong", serial="3"),
        "E": [Value(1, b"URL", b"https://a.example/")],
        "OLD": record(name="a", serial="9"),
    }
    group = Group(SECTOR, [*rows], [encode_record(values) for values in rows.values()])
    (added,) = await registrar.add([group], ACTOR)
    assert set(added.there) == {"OLD"}
    assert set(added.refused) == {"B", "C", "D"}
    owners = {claim.owner.suffix for claim in await store.reads.dossiers(Claim)}
    assert owners == {"OLD", "A"}
    assert [await store.reads.state(SECTOR, suffix) for suffix in "ABCDE"] == [
        0,
        None,
        None,
        None,
        0,
    ]
    again = Group(SECTOR, ["F"], [encode_record(record(name="f", serial="9"))])
    assert await registrar.add([again], ACTOR) == [Added()]


async def test_the_life_of_a_template(registrar: Registrar, store: Store) -> None:
    office = TemplateOffice(registrar.ledger)
    definition = Definition("C1512", (NAME,))
    draft = await office.create(SECTOR, "T", definition, ACTOR)
    assert (draft.version, draft.state) == (1, State.DRAFT)
    with pytest.raises(AlreadyExists):
        await office.create(SECTOR, "T", definition, ACTOR)
    draft = await office.change(SECTOR, "T", Definition("C15", (SERIAL,)), ACTOR)
    assert draft.items == (SERIAL,)
    await office.move(SECTOR, "T", Operation.PUBLISH, ACTOR)
    with pytest.raises(InvalidValue, match="not deleted"):
        await office.change(SECTOR, "T", definition, ACTOR)
    second = await office.change(SECTOR, "T", Definition("C15", (SERIAL, NAME)), ACTOR)
    assert (second.version, second.state) == (2, State.DRAFT)
    await office.move(SECTOR, "T", Operation.DISCARD, ACTOR)
    with pytest.raises(StateConflict):
        await office.move(SECTOR, "T", Operation.PUBLISH, ACTOR)
    with pytest.raises(NotFound):
        await office.move(SECTOR, "T", Operation.WITHDRAW, ACTOR, version=2)
    await office.move(SECTOR, "T", Operation.WITHDRAW, ACTOR)
    (kept,) = await store.reads.dossiers(Template)
    assert (kept.version, kept.state) == (1, State.WITHDRAWN)
