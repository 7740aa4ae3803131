"""Stored identifiers as lines of an upload: what is written so can be registered again."""

from __future__ import annotations

from typing import Any

from registry.bulk.mapping import encode_line
from registry.storage.interface import Row
from registry.values.json_form import value_to_json
from registry.values.value import DEFAULT_TTL, TTL_RELATIVE, Value, decode_record


def line_of(row: Row) -> bytes:
    """The identifier as a line, without its end. Timestamps are left out: they are the node's."""
    return encode_line(str(row.key), [_members(value) for value in decode_record(row.record)])


def _members(value: Value) -> dict[str, Any]:
    """The JSON form without what goes without saying."""
    form: dict[str, Any] = value_to_json(value)
    form.pop("timestamp", None)
    if value.ttl_type == TTL_RELATIVE and value.ttl == DEFAULT_TTL:
        del form["ttl"]
    data = form["data"]
    if data["format"] == "string":
        form["data"] = data["value"]
    return form
