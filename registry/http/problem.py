"""Refusals as problem documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from registry.errors import InvalidIdentifier, InvalidValue, NotConforming, Refusal
from registry.outcomes import Outcome

MEDIA_TYPE: Final = "application/problem+json"
#: Seconds after which a client may try again what was refused for the moment only.
RETRY_AFTER: Final = 1


def problem(
    outcome: Outcome,
    detail: str = "",
    *,
    instance: str | None = None,
    request_id: str | None = None,
    errors: Sequence[dict[str, str]] = (),
    responsible: str | None = None,
    retry_after: int | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a refusal over HTTP.

    `instance` is the path asked for, `responsible` names the node to ask instead, `errors` are
    members at fault: `pointer` (RFC 6901 JSON Pointer), `code`, `detail`. `retry_after` is when to
    try again, in seconds, where it is known.
    """
    members: dict[str, Any] = {
        "type": f"/problems/{outcome.slug}",
        "title": outcome.title,
        "status": outcome.http,
        "detail": detail,
        "instance": instance,
        "code": outcome.slug,
        "request_id": request_id,
        "responsible": responsible,
        "retryable": outcome.retryable,
        "errors": list(errors),
    }
    headers = {"Content-Type": MEDIA_TYPE}
    if outcome.retryable:
        wait = RETRY_AFTER if retry_after is None else retry_after
        members["retry_after"] = wait
        headers["Retry-After"] = str(wait)
    if outcome.http == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="idnode"'
    present = {name: value for name, value in members.items() if value not in (None, "", [])}
    return outcome.http, headers, msgspec.json.encode(present)


def refusal_problem(
    refusal: Refusal, *, instance: str | None = None, request_id: str | None = None
) -> tuple[int, dict[str, str], bytes]:
    """The problem document of a raised refusal, with the rule or field it names."""
    return problem(
        refusal.outcome,
        str(refusal),
        instance=instance,
        request_id=request_id,
        errors=_errors(refusal),
        retry_after=refusal.retry_after,
    )


def _errors(refusal: Refusal) -> Sequence[dict[str, str]]:
    match refusal:
        case InvalidIdentifier(rule=rule, message=message):
            return [{"code": rule, "detail": message}]
        case NotConforming(faults=faults):
            return [
                {"code": rule, "item": item or str(index), "detail": message}
                for index, item, rule, message in faults
            ]
        case InvalidValue(field=str(field)):
            return [{"pointer": f"/{field}", "detail": str(refusal)}]
    return ()
