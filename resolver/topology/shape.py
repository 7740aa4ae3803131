"""Whether a document has the shape of a struct: every unknown key, missing key and wrong type.

msgspec stops at its first error; this walks the same type descriptions and goes on to the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from msgspec import inspect

from resolver.topology.problems import Finding, did_you_mean

_SCALARS: Final[dict[type[inspect.Type], tuple[type, str]]] = {
    inspect.StrType: (str, "a string"),
    inspect.IntType: (int, "a whole number"),
    inspect.FloatType: (float, "a number"),
    inspect.BoolType: (bool, "true or false"),
}


def findings(value: object, kind: inspect.Type, key: str = "") -> Iterator[Finding]:
    """Everything about `value`, read from TOML, that does not fit `kind`. `key` is its path."""
    match kind:
        case inspect.StructType() | inspect.DataclassType():
            yield from _table(value, kind, key)
        case inspect.VarTupleType():
            yield from _array(value, kind, key)
        case inspect.DictType():
            yield from _mapping(value, kind, key)
        case inspect.UnionType():
            yield from _union(value, kind, key)
        case inspect.LiteralType():
            yield from _literal(value, kind, key)
        case _:
            yield from _scalar(value, kind, key)


def _table(
    value: object, kind: inspect.StructType | inspect.DataclassType, key: str
) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield Finding(key, f"must be a table, not {_named(value)}")
        return
    fields = {field.encode_name: field for field in kind.fields}
    for name, item in value.items():
        if name in fields:
            yield from findings(item, fields[name].type, _below(key, name))
        else:
            yield Finding(_below(key, name), f"unknown key{did_you_mean(name, fields)}")
    for name, field in fields.items():
        if field.required and name not in value:
            yield Finding(_below(key, name), "is missing")


def _array(value: object, kind: inspect.VarTupleType, key: str) -> Iterator[Finding]:
    if not isinstance(value, list):
        yield Finding(key, f"must be an array, not {_named(value)}")
        return
    for position, item in enumerate(value):
        yield from findings(item, kind.item_type, f"{key}[{position}]")


def _mapping(value: object, kind: inspect.DictType, key: str) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield Finding(key, f"must be a table, not {_named(value)}")
        return
    for name, item in value.items():
        yield from findings(item, kind.value_type, _below(key, name))


def _union(value: object, kind: inspect.UnionType, key: str) -> Iterator[Finding]:
    """TOML has no null, so an optional value that is there must fit one of the other types."""
    members = [member for member in kind.types if not isinstance(member, inspect.NoneType)]
    if len(members) == 1:
        yield from findings(value, members[0], key)
    elif all(any(findings(value, member)) for member in members):
        wanted = ", ".join(_SCALARS[type(member)][1] for member in members)
        yield Finding(key, f"must be one of {wanted}; it is {_named(value)}")


def _literal(value: object, kind: inspect.LiteralType, key: str) -> Iterator[Finding]:
    if value not in kind.values:
        known = [str(choice) for choice in kind.values]
        hint = did_you_mean(str(value), known)
        yield Finding(key, f'"{value}" is none of {", ".join(known)}{hint}')


def _scalar(value: object, kind: inspect.Type, key: str) -> Iterator[Finding]:
    wanted, name = _SCALARS[type(kind)]
    if type(value) is not wanted:
        yield Finding(key, f"must be {name}, not {_named(value)}")


def _below(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _named(value: Any) -> str:
    """A TOML value in words."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "an array"
    for scalar, name in _SCALARS.values():
        if type(value) is scalar:
            return name if scalar is bool else f"{name} ({value!r})"
    return "a date or time"
