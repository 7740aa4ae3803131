"""The values in the body of a PUT: {"values": [...]}, a bare list, or one value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from registry.errors import DecodeError, InvalidIdentifier
from registry.json_text import read_json
from registry.registration.changes import check_indexes
from registry.schemes.handle import HandleRules, parse
from registry.values.json_form import value_from_json
from registry.values.value import Value

#: What an object has that is a value by itself.
_OF_A_VALUE = frozenset(("index", "type", "data"))


def read_values(body: bytes, asked: bytes, rules: HandleRules) -> tuple[Value, ...]:
    """The values. Raises DecodeError, InvalidValue, ValueExists for an index that is there twice.

    A handle that is named beside them must be the one asked for.
    """
    forms = _forms(read_json(body), asked, rules)
    values = tuple(map(value_from_json, forms))
    check_indexes(values)
    return values


def check_named_indexes(values: Iterable[Value], named: Iterable[int]) -> None:
    """Raise DecodeError unless the values have exactly the indexes that the query names."""
    if {value.index for value in values} != set(named):
        raise DecodeError("Mismatched indexes in PUT request")


def _forms(document: Any, asked: bytes, rules: HandleRules) -> list[Any]:
    if isinstance(document, list):
        return document
    if isinstance(document, dict) and "values" in document:
        _check_handle(document.get("handle"), asked, rules)
        forms = document["values"]
        if forms is None or isinstance(forms, list):
            return forms or []
    elif isinstance(document, dict) and document.keys() >= _OF_A_VALUE:
        return [document]
    raise DecodeError("Invalid JSON in PUT request: values are expected, or one value")


def _check_handle(named: Any, asked: bytes, rules: HandleRules) -> None:
    if named is None:
        return
    try:
        if isinstance(named, str) and parse(named.encode(), rules) == parse(asked, rules):
            return
    except (InvalidIdentifier, UnicodeEncodeError):
        pass  # the same text is no identifier either way
    if named != asked.decode("utf-8", "replace"):
        raise DecodeError("Mismatched handle in PUT request")
