"""What a problem document looks like, and which requests can be answered with which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from registry import outcomes
from registry.http.endpoints import Endpoint
from registry.http.headers import IF_MATCH
from registry.outcomes import OUTCOMES, Outcome

_CODES: Final = sorted({outcome.slug for outcome in OUTCOMES.values()})


class Fault(msgspec.Struct):
    """A member at fault by its JSON Pointer, or the rule or template item that is not kept."""

    detail: str
    pointer: str | UnsetType = UNSET
    code: str | UnsetType = UNSET
    item: str | UnsetType = UNSET


class Problem(msgspec.Struct):
    """A refusal (RFC 9457). `code` is the word to decide by; with `retryable` the same request may
    succeed later, after `retry_after` seconds."""

    type: str
    title: str
    status: int
    code: Annotated[str, Meta(extra_json_schema={"enum": _CODES})]
    retryable: bool
    detail: str | UnsetType = UNSET
    instance: str | UnsetType = UNSET
    request_id: str | UnsetType = UNSET
    responsible: str | UnsetType = UNSET
    retry_after: int | UnsetType = UNSET
    errors: list[Fault] | UnsetType = UNSET


_ANY: Final = (
    outcomes.MALFORMED,
    outcomes.NOT_ACCEPTABLE,
    outcomes.URI_TOO_LONG,
    outcomes.HEADERS_TOO_LARGE,
    outcomes.INTERNAL,
    outcomes.BUSY,
    outcomes.DRAINING,
    outcomes.STORAGE,
)
_AUTHORISED: Final = (
    outcomes.AUTHENTICATION_NEEDED,
    outcomes.NOT_PERMITTED,
    outcomes.NOT_FOUND,
    outcomes.REQUEST_QUOTA,
)
_NAMED: Final = (
    outcomes.INVALID_IDENTIFIER,
    outcomes.NOT_FOUND,
    outcomes.ON_HOLD,
    outcomes.GONE,
)
_BODY: Final = (outcomes.TOO_LARGE, outcomes.UNSUPPORTED_MEDIA, outcomes.INVALID_VALUE)
_CHANGE: Final = (
    outcomes.ALREADY_EXISTS,
    outcomes.AUTHENTICATION_FAILED,
    outcomes.CHECKPOINT_CONTRADICTS,
    outcomes.INVALID_VALUE,
    outcomes.NOT_RESPONSIBLE,
    outcomes.OUTCOME_UNKNOWN,
    outcomes.PREFIX_QUOTA,
    outcomes.REGISTRATION_QUOTA,
    outcomes.STATE_CONFLICT,
    outcomes.UPSTREAM_BAD,
    outcomes.UPSTREAM_TIMEOUT,
)
_CONDITIONAL: Final = (outcomes.PRECONDITION_FAILED, outcomes.IDEMPOTENCY_MISMATCH)


def refusals(endpoint: Endpoint) -> Iterator[Outcome]:
    """How a request can be refused."""
    yield from _ANY
    if endpoint.operation is not None:
        yield from _AUTHORISED
    if "{" in endpoint.path:
        yield from _NAMED
    if endpoint.body is not None:
        yield from _BODY
    if endpoint.query is not None:
        yield from (outcomes.INVALID_VALUE, outcomes.NOT_FOUND, outcomes.UNSUPPORTED)
    if endpoint.method != "GET":
        yield from _CHANGE
    if IF_MATCH in endpoint.takes:
        yield from _CONDITIONAL
