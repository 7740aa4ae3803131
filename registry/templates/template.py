"""A template (元数据模板): the items that a record which names it has, from index 2000 on.

A record names its template in the value with index 1000 (type TEMPLATE_ID, data `prefix/name`) and
may name a version of it in the one with index 1001 (TEMPLATE_VERSION, a number); without that the
newest published one counts.
Items are disabled, never deleted: what was published once keeps its index and its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from registry.errors import InvalidValue, StateConflict, TemplateNotFound
from registry.schemes.industry import INDUSTRY

TEMPLATE_INDEX, VERSION_INDEX, FIRST_ITEM = 1000, 1001, 2000
TEMPLATE_TYPE: Final = b"TEMPLATE_ID"
VERSION_TYPE: Final = b"TEMPLATE_VERSION"
MAX_ITEMS: Final = 256
#: Longest text of an item, in characters.
MAX_TEXT: Final = 4000

_NAME: Final = re.compile(r"[^/\x00-\x20\x7f](?:[^/\x00-\x1f\x7f]{0,126}[^/\x00-\x20\x7f])?")


class Kind(StrEnum):
    """What the text of an item is."""

    STRING = "string"
    NUMBER = "number"
    DATE = "date"
    FILE = "file"
    REFERENCE = "reference"
    AUDIO = "audio"
    VIDEO = "video"
    IMAGE = "image"


class Carrier(StrEnum):
    """What things the template is for."""

    ACTIVE = "active"  # things that carry their identifier actively, such as a chip or a module
    OTHER = "other"


class State(StrEnum):
    """Where a version of a template stands. Records are held against published ones."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Title(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name in both languages."""

    en: Annotated[str, Meta(max_length=200)] = ""
    zh: Annotated[str, Meta(max_length=200)] = ""


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One item. `name` is the type of its value; lengths are in characters.

    `references` is the template that what a reference names has to be made after.
    """

    index: Annotated[int, Meta(ge=FIRST_ITEM, le=0x7FFF_FFFF)]
    name: Annotated[str, Meta(min_length=1, max_length=128)]
    title: Title = Title()
    kind: Kind = Kind.STRING
    required: bool = False
    unique: bool = False
    min_length: Annotated[int, Meta(ge=0, le=MAX_TEXT)] = 0
    max_length: Annotated[int, Meta(ge=0, le=MAX_TEXT)] = MAX_TEXT
    references: Annotated[str, Meta(max_length=400)] = ""
    disabled: bool = False


class Template(NamedTuple):
    """One version of a template; `prefix` is whose it is. Times are Unix seconds."""

    prefix: str
    name: str
    version: int
    state: State
    title: Title
    industry: str
    carrier: Carrier
    description: str
    items: tuple[Item, ...]
    created: int
    modified: int

    @property
    def id(self) -> str:
        """How a record names it."""
        return f"{self.prefix}/{self.name}"

    def __str__(self) -> str:
        return f"{self.id} version {self.version}"


class Operation(StrEnum):
    """What can be done to a version of a template."""

    CHANGE = "change"
    PUBLISH = "publish"
    WITHDRAW = "withdraw"
    DISCARD = "discard"


#: States by operations: where it leads, None for the end. What is not listed is refused.
_STEPS: Final[Mapping[tuple[State, Operation], State | None]] = {
    (State.DRAFT, Operation.CHANGE): State.DRAFT,
    (State.DRAFT, Operation.PUBLISH): State.PUBLISHED,
    (State.DRAFT, Operation.DISCARD): None,
    (State.PUBLISHED, Operation.WITHDRAW): State.WITHDRAWN,
    (State.WITHDRAWN, Operation.PUBLISH): State.PUBLISHED,
}


def step(state: State, operation: Operation) -> State | None:
    """The state that the operation leads to, None for the end. Raises StateConflict."""
    if (state, operation) not in _STEPS:
        raise StateConflict(operation.value, state.value, subject="template")
    return _STEPS[state, operation]


class Named(NamedTuple):
    """What a record says of its template; `version` None stands for the newest one."""

    prefix: str
    name: str
    version: int | None


def newest(versions: Sequence[Template], state: State | None = None) -> Template:
    """The newest version, or the newest in a state. Raises TemplateNotFound."""
    found = [each for each in versions if state in (None, each.state)]
    if not found:
        raise TemplateNotFound("there is no such template, or not in this version")
    return max(found, key=lambda each: each.version)


def check_template(template: Template) -> None:
    """Hold a definition against the rules. Raises InvalidValue naming the member."""
    if not _NAME.fullmatch(template.name):
        raise InvalidValue(
            "a name has 1 to 128 characters, no slash, and no space at its ends", field="name"
        )
    if not INDUSTRY.fullmatch(template.industry):
        raise InvalidValue("an industry is a class of GB/T 4754, such as C1512", field="industry")
    if not 1 <= len(template.items) <= MAX_ITEMS:
        raise InvalidValue(f"a template has 1 to {MAX_ITEMS} items", field="items")
    for position, (item, problem) in enumerate(_problems(template.items)):
        if problem:
            raise InvalidValue(f"item {item.name}: {problem}", field=f"items/{position}")


def _problems(items: Sequence[Item]) -> Iterator[tuple[Item, str]]:
    indexes: set[int] = set()
    names: set[str] = set()
    for item in items:
        reference = item.kind is Kind.REFERENCE
        rules = (
            (item.index not in indexes, f"index {item.index} is taken by another item"),
            (item.name.casefold() not in names, "another item has this name"),
            (_NAME.fullmatch(item.name) is not None, "a name has no slash and no outer space"),
            (item.min_length <= item.max_length, "min_length is over max_length"),
            (not item.references or reference, "only a reference has references"),
            (not item.references or "/" in item.references, "references is prefix/name"),
        )
        yield item, next((text for holds, text in rules if not holds), "")
        indexes.add(item.index)
        names.add(item.name.casefold())


def check_follows(template: Template, published: Template) -> None:
    """A new version has every item of the published one before. Raises InvalidValue."""
    now = {item.index: item for item in template.items}
    for item in published.items:
        found = now.get(item.index)
        if found is None:
            raise InvalidValue(
                f"item {item.name} ({item.index}) was published: it can be disabled, not deleted",
                field="items",
            )
        if (found.name, found.kind) != (item.name, item.kind):
            raise InvalidValue(
                f"item {item.name} ({item.index}) was published as {item.kind.value}: neither its"
                " name nor its kind can change",
                field="items",
            )


class Items:
    """The items of a template as records are held against them."""

    def __init__(self, template: Template) -> None:
        items = template.items
        self.template = template
        self.by_index = {item.index: item for item in items}
        self.required = [item for item in items if item.required and not item.disabled]
        self.unique = [item for item in items if item.unique]
        self.references = [item for item in items if item.kind is Kind.REFERENCE]
