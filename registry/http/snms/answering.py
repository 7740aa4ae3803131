"""What the resources of this API share: how they are declared, and how they answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from aiohttp import hdrs, web

from registry.authorisation import Operation
from registry.errors import Refusal
from registry.http.endpoints import Call, Endpoint, Reply
from registry.http.problem import RETRY_AFTER
from registry.snms.envelope import DONE, SUCCESS, Envelope, http_status, refused

Act = Callable[[Call], Awaitable[Reply]]
TAG: Final = "snms"


def resource(
    method: str,
    path: str,
    name: str,
    act: Act,
    operation: Operation | None,
    body: Any = None,
    query: type[msgspec.Struct] | None = None,
) -> Endpoint:
    """An endpoint of this API: whatever it answers is in an envelope."""
    summary = (act.__doc__ or name).partition("\n")[0]
    return Endpoint(
        method, path, f"snms-{name}", summary, act, operation, body, query, {200: Envelope}, TAG
    )


def done(data: Any) -> Reply:
    """The answer of what was done."""
    return Reply(body=Envelope(SUCCESS, DONE, data))


def refusal_answer(refusal: Refusal, _request: web.Request) -> web.Response:
    """A refusal in the form of this API."""
    status = http_status(refusal)
    headers = {hdrs.CONTENT_TYPE: "application/json"}
    if status == 503:
        headers[hdrs.RETRY_AFTER] = str(RETRY_AFTER)
    return web.Response(status=status, headers=headers, body=msgspec.json.encode(refused(refusal)))
