"""What requests and answers about identifiers look like: the types that the description shows.

Values have the form of the Handle JSON API, which `registry.values.json_form` reads and writes:
here it is only described.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from registry.registration.lifecycle import State

_MAX_INDEX: Final = 0x7FFF_FFFF
_MAX_U32: Final = 0xFFFF_FFFF

#: What a state is called.
StateName: TypeAlias = Literal["reserved", "active", "on-hold", "revoked"]
Time: TypeAlias = Annotated[
    str,
    Meta(examples=["2026-05-01T12:00:00.000Z"], extra_json_schema={"format": "date-time"}),
]


class DataForm(msgspec.Struct, rename={"format": "format"}):
    """Data by its form: text as `string`, octets as `base64` or `hex`, others for types of the
    Handle system (`admin`, `vlist`, `site`, `key`)."""

    format: Literal["string", "base64", "hex", "admin", "vlist", "site", "key"]
    value: Any


class ReferenceForm(msgspec.Struct):
    """A value of another identifier."""

    handle: str
    index: Annotated[int, Meta(ge=0, le=_MAX_U32)]


class ValueForm(msgspec.Struct, rename={"type_": "type"}):
    """A value. Plain text may stand for `data`; `ttl` is in seconds, or a time; the digits of
    `permissions` are read and write for administrators, read and write for everybody."""

    index: Annotated[int, Meta(ge=1, le=_MAX_INDEX)]
    type_: str
    data: str | DataForm
    ttl: Annotated[int, Meta(ge=0, le=_MAX_U32)] | Time = 86400
    permissions: Annotated[str, Meta(pattern="^[01]{4}$")] = "1110"
    timestamp: Time | UnsetType = UNSET
    references: list[ReferenceForm] = []


#: A value as it is, described as ValueForm.
AnyValue: TypeAlias = Annotated[
    dict[str, Any], Meta(extra_json_schema={"$ref": "#/components/schemas/ValueForm"})
]


class PutBody(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be stored; with `overwrite` in place of all that is there."""

    values: Annotated[list[AnyValue], Meta(min_length=1, max_length=2048)]
    overwrite: bool = False


class Changed(msgspec.Struct):
    """A change that is durable; without a version the identifier is gone."""

    identifier: str
    version: int | None


class Version(msgspec.Struct, kw_only=True):
    """A version of an identifier: who made it when, and who ended it."""

    version: int
    state: StateName
    made: Time
    by: str
    ended: Time | UnsetType = UNSET
    ended_by: str | UnsetType | None = UNSET


class Shown(Version, kw_only=True):
    """An identifier with the values that everybody may read; `restricted` counts the others."""

    identifier: str
    values: list[AnyValue]
    restricted: int


class History(msgspec.Struct):
    """All that an identifier was, oldest first."""

    identifier: str
    versions: list[Version]


def state_name(state: int) -> StateName:
    """What a stored state is called."""
    name: StateName = State(state).name.lower().replace("_", "-")  # type: ignore[assignment]
    return name
