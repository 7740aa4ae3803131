"""The headers that requests and answers of the management API may have, as they are described."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from aiohttp import hdrs

from registry.http import request_id


class Header(NamedTuple):
    """A header; `schema` is the JSON Schema of what it says."""

    name: str
    description: str
    schema: Mapping[str, Any] = {"type": "string"}


MAX_IDEMPOTENCY_KEY: Final = 255
#: RFC 9110 section 8.8.3: `*`, or entity tags and commas.
_TAGS: Final = r'^\s*(\*|(W/)?"[^"]*"(\s*,\s*(W/)?"[^"]*")*)\s*$'

IDEMPOTENCY_KEY: Final = Header(
    "Idempotency-Key",
    "Makes the request once, however often it is sent: with the same key, method, path and body"
    " it is answered as the first time.",
    {"type": "string", "minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY, "pattern": "^[!-~]+$"},
)
IF_MATCH: Final = Header(
    str(hdrs.IF_MATCH),
    "The ETag that was read: the change is made only if the identifier is still at that version.",
    {"type": "string", "pattern": _TAGS},
)
ETAG: Final = Header(
    "ETag", "The version, in quotation marks.", {"type": "string", "pattern": '^"[0-9]+"$'}
)
LOCATION: Final = Header(str(hdrs.LOCATION), "Where it is.")
NEXT: Final = Header(str(hdrs.LINK), 'The next page, with rel="next"; missing on the last one.')
REQUEST_ID: Final = Header(
    request_id.HEADER,
    "What the client calls the request, or else the name it got here; told in problem documents.",
    {"type": "string", "pattern": f"^{request_id.PATTERN}$"},
)
