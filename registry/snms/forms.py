"""Bodies as clients send them, as values and templates; and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from registry.errors import InvalidValue, NotConforming
from registry.errors import ItemFault as Fault
from registry.templates.office import Definition
from registry.templates.template import (
    FIRST_ITEM,
    TEMPLATE_INDEX,
    TEMPLATE_TYPE,
    VERSION_INDEX,
    Carrier,
    Item,
    Kind,
    Template,
    Title,
)
from registry.values.json_form import looks_like_text
from registry.values.value import PUBLIC_READ, Value, decode_record

#: Most identifiers of one call.
MAX_BATCH: Final = 2000
_VERSION_TYPE: Final = b"TEMPLATE"
_CARRIERS: Final = {1: Carrier.ACTIVE, 2: Carrier.OTHER}


class Datum(msgspec.Struct):
    """The content of a value; text is the only format there is."""

    value: Annotated[str, Meta(max_length=255)]
    format: str = "string"


class ValueForm(msgspec.Struct):
    """A value; `auth` is reserved."""

    index: int
    type: Annotated[str, Meta(min_length=1, max_length=128)]
    data: Datum
    auth: str | None = ""


class DataForm(msgspec.Struct, rename="camel"):
    """An identifier, the name of its template, its items."""

    handle: Annotated[str, Meta(max_length=255)]
    template_version: Annotated[str, Meta(min_length=1, max_length=128)]
    value: list[ValueForm]


class DataView(msgspec.Struct, rename="camel"):
    """An identifier as it is shown."""

    prefix: str
    handle: str
    template_version: str
    value: list[ValueForm]
    code: str = "200"


class Metadata(msgspec.Struct, rename="camel"):
    """The limits of an item's text, in characters."""

    min_length: int = 0
    max_length: int = 4000
    type: str = "string"


class ItemForm(msgspec.Struct, rename="camel"):
    """An item: its Chinese name, the type of its value; `state` 0 disables it."""

    name: str
    id_type: str
    metadata: Metadata
    id_index: int | str | None = None
    required: bool = False
    state: int = 1


class TemplateForm(msgspec.Struct, rename="camel"):
    """A template: `version` is its name; `type` 1 for active carriers, 2 for all else."""

    prefix: Annotated[str, Meta(max_length=64)]
    version: Annotated[str, Meta(max_length=128)]
    industry_category: str
    industry_specific: str
    industry_trade: str
    industry_subclass: str
    type: int
    items: list[ItemForm]
    description: str | None = ""


def values_of(form: DataForm, template: Template) -> list[Value]:
    """The values that a form says, with those that name the template. Raises InvalidValue."""
    for position, value in enumerate(form.value):
        if value.index == VERSION_INDEX:
            raise InvalidValue(f"{VERSION_INDEX} is reserved", field=f"value/{position}/index")
        if value.index < FIRST_ITEM:
            fault = Fault(value.index, value.type, "unknown-item", f"no item {value.index}")
            raise NotConforming(str(template), [fault])
        if value.data.format != "string":
            raise InvalidValue("only string is read", field=f"value/{position}/data/format")
    return [
        Value(TEMPLATE_INDEX, TEMPLATE_TYPE, template.id.encode()),
        Value(VERSION_INDEX, _VERSION_TYPE, template.name.encode()),
        *(_value(value) for value in form.value),
    ]


def _value(form: ValueForm) -> Value:
    return Value(form.index, _octets(form.type), _octets(form.data.value))


def _octets(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidValue("text that is no Unicode", field="value") from None


def data_view(prefix: str, handle: str, record: bytes, *, whole: bool) -> DataView:
    """An identifier with its values of text: all of them, or those that everybody may read."""
    values = [
        value
        for value in decode_record(record)
        if (whole or value.permissions & PUBLIC_READ) and looks_like_text(value.data)
    ]
    names = [value.data.decode() for value in values if value.index == TEMPLATE_INDEX]
    shown = [
        ValueForm(value.index, value.type.decode(), Datum(value.data.decode())) for value in values
    ]
    return DataView(prefix, handle, names[0].partition("/")[2] if names else "", shown)


def definition(form: TemplateForm, known: Sequence[Item] = ()) -> Definition:
    """What a form says of a template that has the items `known`: those it leaves out stay.

    An item is known by index and type; any other is a new one. Raises InvalidValue.
    """
    carrier = _CARRIERS.get(form.type)
    if carrier is None:
        raise InvalidValue("1 or 2 is expected", field="type")
    levels = (form.industry_specific, form.industry_trade, form.industry_subclass)
    industry = form.industry_category + max(levels, key=len)
    items = {item.index: item for item in known}
    for item in _items(form.items, items):
        items[item.index] = item
    return Definition(
        industry,
        tuple(items[index] for index in sorted(items)),
        Title(zh=form.version),
        carrier,
        form.description or "",
    )


def _items(forms: Sequence[ItemForm], known: dict[int, Item]) -> Iterator[Item]:
    taken = set(known)
    for position, form in enumerate(forms):
        index = _index(form.id_index, position)
        if index in known and known[index].name != form.id_type:
            index = None
        if index is None:
            index = max(taken, default=FIRST_ITEM - 1) + 1
        taken.add(index)
        yield _item(form, index, position)


def _index(given: int | str | None, position: int) -> int | None:
    if given is None or given == "":
        return None
    if isinstance(given, str) and not (given.isascii() and given.isdigit() and len(given) < 11):
        raise InvalidValue("a number is expected", field=f"items/{position}/idIndex")
    return int(given)


def _item(form: ItemForm, index: int, position: int) -> Item:
    limits = form.metadata
    if limits.type != Kind.STRING.value:
        raise InvalidValue("only string is read", field=f"items/{position}/metadata/type")
    members = {
        "index": index,
        "name": form.id_type,
        "title": {"zh": form.name},
        "required": form.required,
        "min_length": limits.min_length,
        "max_length": limits.max_length,
        "disabled": form.state == 0,
    }
    try:
        return msgspec.convert(members, Item)
    except msgspec.ValidationError as error:
        raise InvalidValue(str(error), field=f"items/{position}") from None


def template_view(template: Template) -> dict[str, Any]:
    """A template as it is shown. Raises InvalidValue for one with items that are not text."""
    if any(item.kind is not Kind.STRING for item in template.items):
        raise InvalidValue("the template has items that are not text", field="version")
    industry = template.industry
    return {
        "prefix": template.prefix,
        "version": template.name,
        "name": template.title.zh or template.title.en,
        "description": template.description,
        "industryCategory": industry[:1],
        "industrySpecific": industry[1:3],
        "industryTrade": industry[1:4],
        "industrySubclass": industry[1:5],
        "type": next(number for number, kind in _CARRIERS.items() if kind is template.carrier),
        "handle": template.id,
        "items": [_item_view(item) for item in template.items],
    }


def _item_view(item: Item) -> dict[str, Any]:
    return {
        "name": item.title.zh or item.title.en or item.name,
        "idType": item.name,
        "idIndex": item.index,
        "required": item.required,
        "state": int(not item.disabled),
        "metadata": {
            "type": item.kind.value,
            "minLength": item.min_length,
            "maxLength": item.max_length,
        },
    }
