"""Whether a record has what its template asks for; what is wrong is said item by item.

Only what the record itself shows: that a value is nobody else's, and what a reference leads to, is
for `registry.templates.claims`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Final

from registry.errors import InvalidIdentifier, InvalidValue, ItemFault
from registry.schemes.handle import HandleRules, parse
from registry.templates.template import (
    FIRST_ITEM,
    TEMPLATE_INDEX,
    TEMPLATE_TYPE,
    VERSION_INDEX,
    VERSION_TYPE,
    Item,
    Items,
    Kind,
    Named,
)
from registry.values.value import bounds
from registry.values.wire import u32

#: Index 1000 as a record has it. Octets of data can look like it: then the record is read.
_MARK: Final = u32(TEMPLATE_INDEX)
_DECIMAL: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_URL: Final = re.compile(r"https?://[^\s/?#]+[^\s]*")
_MAX_URL: Final = 2048
#: Type and data by index.
Values = Mapping[int, tuple[bytes, bytes]]


def may_name_a_template(record: bytes) -> bool:
    """False if a record certainly names none: what nearly every record is asked."""
    return _MARK in record


def values_of(record: bytes) -> dict[int, tuple[bytes, bytes]]:
    """Type and data of the values of a record by index."""
    return {
        int.from_bytes(record[start : start + 4], "big"): (
            record[start + 18 : type_end],
            record[type_end + 4 : data_end],
        )
        for start, type_end, data_end in bounds(record)
    }


def named(values: Values) -> Named | None:
    """The template that a record names, None if it names none. Raises InvalidValue."""
    found = values.get(TEMPLATE_INDEX)
    if found is None or found[0] != TEMPLATE_TYPE:
        return None
    prefix, slash, name = _text(found[1], TEMPLATE_INDEX).partition("/")
    if not slash:
        raise InvalidValue(
            "a template is named as prefix/name", TEMPLATE_INDEX, TEMPLATE_TYPE.decode()
        )
    return Named(prefix.upper(), name, _version(values))


def _version(values: Values) -> int | None:
    found = values.get(VERSION_INDEX)
    if found is None or found[0] != VERSION_TYPE:
        return None
    text = _text(found[1], VERSION_INDEX)
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidValue(
            "the version of a template is a number", VERSION_INDEX, VERSION_TYPE.decode()
        )
    return int(text)


def _text(data: bytes, index: int) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise InvalidValue(f"value {index} is not text", index) from None


def faults(items: Items, values: Values, before: Values = {}) -> Iterator[ItemFault]:  # noqa: B006
    """What is wrong with a record. What it had `before` under a disabled item may stay."""
    for index, (type_, data) in values.items():
        if index < FIRST_ITEM:
            continue
        item = items.by_index.get(index)
        if item is None:
            yield ItemFault(index, "", "unknown-item", f"the template has no item {index}")
        elif item.disabled:
            if before.get(index) != (type_, data):
                yield ItemFault(index, item.name, "disabled", f"item {item.name} is disabled")
        elif type_ != item.name.encode():
            message = f"item {index} is {item.name}, the value has another type"
            yield ItemFault(index, item.name, "wrong-type", message)
        elif (fault := _fault(item, data)) is not None:
            yield fault
    for item in items.required:
        if item.index not in values:
            yield ItemFault(item.index, item.name, "missing", f"item {item.name} is required")


def _fault(item: Item, data: bytes) -> ItemFault | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ItemFault(item.index, item.name, "not-text", f"item {item.name} is not text")
    rule, holds, message = _RULES[item.kind]
    if holds(item, text):
        return None
    message = message.format(item=item, length=len(text))
    return ItemFault(item.index, item.name, rule, f"item {item.name}: {message}")


def _is_of_length(item: Item, text: str) -> bool:
    return item.min_length <= len(text) <= item.max_length


def _is_number(item: Item, text: str) -> bool:
    return len(text) <= item.max_length and _DECIMAL.fullmatch(text) is not None


def _is_date(_item: Item, text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_url(_item: Item, text: str) -> bool:
    return len(text) <= _MAX_URL and _URL.fullmatch(text) is not None


def _is_identifier(_item: Item, text: str) -> bool:
    try:
        return bool(text) and bool(parse(text, HandleRules()))
    except InvalidIdentifier:
        return False


_LINK: Final = ("url", _is_url, "an http or https URL is expected")
#: By kind: the rule's word, whether a text keeps it, what is said of one that does not.
_RULES: Final[Mapping[Kind, tuple[str, Callable[[Item, str], bool], str]]] = {
    Kind.STRING: (
        "length",
        _is_of_length,
        "{item.min_length} to {item.max_length} characters are expected, there are {length}",
    ),
    Kind.NUMBER: ("number", _is_number, "a decimal number is expected"),
    Kind.DATE: ("date", _is_date, "a date such as 2026-01-31 is expected"),
    Kind.FILE: _LINK,
    Kind.AUDIO: _LINK,
    Kind.VIDEO: _LINK,
    Kind.IMAGE: _LINK,
    Kind.REFERENCE: ("reference", _is_identifier, "an identifier is expected"),
}
