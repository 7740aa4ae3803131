"""Definitions of templates: what may be said, what a later version has to keep, its life."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from registry.errors import InvalidValue, NotFound, StateConflict
from registry.templates.template import (
    Carrier,
    Item,
    Kind,
    Operation,
    State,
    Template,
    Title,
    check_follows,
    check_template,
    newest,
    step,
)


def template(*items: Item, **members: object) -> Template:
    made = Template(
        "88.901",
        "BOTTLE",
        1,
        State.DRAFT,
        Title("bottle", "瓶"),
        "C1512",
        Carrier.OTHER,
        "",
        items or (Item(2000, "name"),),
        0,
        0,
    )
    return made._replace(**members)  # type: ignore[arg-type]


def test_a_plain_template_is_fine() -> None:
    check_template(template(Item(2000, "name", required=True), Item(2001, "度数")))
    assert template().id == "88.901/BOTTLE"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (template(name=""), "name"),
        (template(name="A/B"), "name"),
        (template(name=" A"), "name"),
        (template(name="A" * 129), "name"),
        (template(industry="1512"), "industry"),
        (template(industry="C1"), "industry"),
        (template(industry="C\uff11\uff15"), "industry"),
        (template(items=()), "items"),
        (template(items=tuple(Item(2000 + n, f"i{n}") for n in range(257))), "items"),
        (template(Item(2000, "a"), Item(2000, "b")), "items/1"),
        (template(Item(2000, "a"), Item(2001, "A")), "items/1"),
        (template(Item(2000, "a", min_length=5, max_length=4)), "items/0"),
        (template(Item(2000, "a", references="88.901/B")), "items/0"),
        (template(Item(2000, "a", kind=Kind.REFERENCE, references="B")), "items/0"),
    ],
)
def test_definitions_that_are_refused(wrong: Template, field: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        check_template(wrong)
    assert refused.value.field == field


@pytest.mark.parametrize("index", [1999, 0, -1, 1 << 31])
def test_items_begin_at_2000(index: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"index": index, "name": "a"}, Item)


def test_what_was_published_keeps_its_place_its_name_and_its_kind() -> None:
    first = template(Item(2000, "a"), Item(2001, "b", kind=Kind.DATE))
    check_follows(template(Item(2001, "b", kind=Kind.DATE, disabled=True), Item(2000, "a")), first)
    for items in (
        (Item(2000, "a"),),
        (Item(2000, "a"), Item(2001, "c", kind=Kind.DATE)),
        (Item(2000, "a"), Item(2001, "b")),
    ):
        with pytest.raises(InvalidValue, match="2001"):
            check_follows(template(*items), first)


#: Every step there is; all others are refused.
STEPS = {
    (State.DRAFT, Operation.CHANGE): State.DRAFT,
    (State.DRAFT, Operation.PUBLISH): State.PUBLISHED,
    (State.DRAFT, Operation.DISCARD): None,
    (State.PUBLISHED, Operation.WITHDRAW): State.WITHDRAWN,
    (State.WITHDRAWN, Operation.PUBLISH): State.PUBLISHED,
}


@pytest.mark.parametrize(("state", "operation"), list(itertools.product(State, Operation)))
def test_the_life_of_a_version(state: State, operation: Operation) -> None:
    if (state, operation) in STEPS:
        assert step(state, operation) is STEPS[state, operation]
    else:
        with pytest.raises(StateConflict, match="template"):
            step(state, operation)


def test_the_newest_in_a_state() -> None:
    versions = [
        template(version=1, state=State.PUBLISHED),
        template(version=3),
        template(version=2, state=State.PUBLISHED),
    ]
    assert newest(versions).version == 3
    assert newest(versions, State.PUBLISHED).version == 2
    with pytest.raises(NotFound):
        newest(versions, State.WITHDRAWN)
