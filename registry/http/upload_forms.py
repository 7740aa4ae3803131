"""What uploads of identifiers and the answers to them look like."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from registry.bulk.batches import MAX_LINES
from registry.bulk.registering import Existing
from registry.http.forms import AnyValue


class UploadQuery(msgspec.Struct, forbid_unknown_fields=True):
    """What becomes of rows whose identifier is there already."""

    existing: Existing = Existing.REFUSE


class RowForm(msgspec.Struct, forbid_unknown_fields=True):
    """An identifier to register, as a body or as a line of an upload."""

    identifier: Annotated[str, Meta(min_length=1, max_length=255)]
    values: Annotated[list[AnyValue], Meta(min_length=1, max_length=2048)]


#: A row, of which a list says later what is wrong with it.
AnyRow: TypeAlias = Annotated[
    Any,
    Meta(
        description="A RowForm; one that is none is refused by itself.",
        examples=[
            {
                "identifier": "88.901.7/LOT-1",
                "values": [{"index": 1, "type": "URL", "data": "https://example.org/1"}],
            }
        ],
    ),
]


class BatchBody(msgspec.Struct, forbid_unknown_fields=True):
    """Identifiers to register, with a verdict on each."""

    identifiers: Annotated[list[AnyRow], Meta(max_length=MAX_LINES)]


class RowError(msgspec.Struct):
    """Why a row was refused: the code of a problem, and the rule, member and value at fault."""

    code: str
    message: str
    rule: str | UnsetType = UNSET
    field: str | UnsetType = UNSET
    index: int | UnsetType = UNSET
    retryable: bool | UnsetType = UNSET


#: An error as `registry.bulk.batches` puts it.
AnyError: TypeAlias = Annotated[
    dict[str, Any], Meta(extra_json_schema={"$ref": "#/components/schemas/RowError"})
]


class RowResult(msgspec.Struct):
    """What became of a row; `identifier` is missing where none was found in it."""

    identifier: str | None
    created: bool | UnsetType = UNSET
    error: AnyError | UnsetType = UNSET


class Verdicts(msgspec.Struct):
    """What became of a list, row by row."""

    accepted: int
    rejected: int
    results: list[RowResult]


class Line(msgspec.Struct):
    """A line of the answer to an upload: a row that was refused, how far the upload is durable, or
    the summary at its end."""

    line: int | UnsetType = UNSET
    identifier: str | UnsetType | None = UNSET
    error: AnyError | UnsetType = UNSET
    committed_through: int | UnsetType = UNSET
    accepted: int | UnsetType = UNSET
    rejected: int | UnsetType = UNSET
