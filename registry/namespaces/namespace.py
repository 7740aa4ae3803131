"""The data of an HS_NAMESPACE value: status, contact, and the template of computed identifiers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from xml.etree.ElementTree import Element

from registry.errors import DecodeError, InvalidValue
from registry.namespaces.markup import read_markup
from registry.namespaces.template import Block, read_block
from registry.values.value import Value, decode_value, scan, type_matches

#: What a query asks for to get the namespace values of a record, subtypes and all.
NAMESPACE_TYPE: Final = b"HS_NAMESPACE."
ACTIVE: Final = "active"
INACTIVE: Final = "inactive"
_MAX_DELIMITER: Final = 32


@dataclass(frozen=True, slots=True)
class TemplateReference:
    """`<template ref="10:h">`: the template is in value 10 of identifier h."""

    index: int
    handle: str


#: A `<template>` of a namespace: its instructions, or where they are.
Template = Block | TemplateReference


@dataclass(frozen=True, slots=True)
class Namespace:
    """What a namespace says: `delimiter` parts base and extension; None where it does not say.

    A template may stand without a delimiter: the delimiter is then that of the namespace above.
    """

    status: str = ACTIVE
    status_message: str | None = None
    contact: str | None = None
    delimiter: str | None = None
    templates: tuple[Template, ...] = ()

    @property
    def active(self) -> bool:
        return self.status != INACTIVE


def read_namespace(data: bytes, ignore_case: bool = True) -> Namespace:
    """The namespace that the data of an HS_NAMESPACE value describes. Raises DecodeError.

    `ignore_case` is for the patterns of templates: whether suffixes compare so.
    """
    root = read_markup(data)
    templates = root.findall("template")
    delimiter = templates[0].get("delimiter") if templates else None
    if delimiter is not None and len(delimiter) > _MAX_DELIMITER:
        raise DecodeError(f"a delimiter of more than {_MAX_DELIMITER} characters")
    return Namespace(
        status=(_said(root, "status") or ACTIVE).lower(),
        status_message=_said(root, "statusmsg"),
        contact=_said(root, "contact"),
        delimiter=delimiter or None,
        templates=tuple(_read_template(template, ignore_case) for template in templates),
    )


def read_templates(data: bytes, ignore_case: bool = True) -> tuple[Template, ...]:
    """The templates in a value that a reference names: one, or those of a namespace."""
    root = read_markup(data)
    found = [root] if root.tag == "template" else root.findall("template")
    return tuple(_read_template(template, ignore_case) for template in found)


def _read_template(template: Element, ignore_case: bool) -> Template:
    reference = template.get("ref")
    if reference is None:
        return read_block(template, ignore_case)
    index, colon, handle = reference.partition(":")
    if not colon or not (index.isascii() and index.isdigit()) or len(index) > 10:
        raise DecodeError(f"reference to a template: {reference[:80]!r}")
    return TemplateReference(int(index), handle)


def _said(root: Element, name: str) -> str | None:
    return (root.findtext(name) or "").strip() or None


@lru_cache(maxsize=1024)
def _kept(data: bytes, ignore_case: bool) -> Namespace | None:
    try:
        return read_namespace(data, ignore_case)
    except DecodeError:
        return None


def namespaces_in(record: bytes) -> Iterator[Value]:
    """The HS_NAMESPACE values of a stored record, least index first."""
    spans = [span for span in scan(record) if type_matches(NAMESPACE_TYPE, span.type)]
    for span in sorted(spans):
        yield decode_value(record[span.start : span.end])


def namespace_of(record: bytes, ignore_case: bool = True) -> Namespace | None:
    """The namespace that a stored record describes: that of the least index that can be read."""
    for value in namespaces_in(record):
        found = _kept(value.data, ignore_case)
        if found is not None:
            return found
    return None


def check_namespace(value: Value) -> None:
    """Hold a value that is to be stored against its type. Raises InvalidValue."""
    if type_matches(NAMESPACE_TYPE, value.type):
        try:
            read_namespace(value.data)
        except DecodeError as error:
            raise InvalidValue(f"HS_NAMESPACE: {error}", value.index, "data") from None
