"""Idempotency keys: the header of a request, and what of the request it stands for."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from aiohttp import hdrs, web

from registry.errors import DecodeError
from registry.http.headers import IDEMPOTENCY_KEY, MAX_IDEMPOTENCY_KEY
from registry.registration.grouping import Once

_KEY: Final = re.compile(f"[!-~]{{1,{MAX_IDEMPOTENCY_KEY}}}")


async def once(request: web.Request, sender: str) -> Once | None:
    """The idempotency key of a request, which is its sender's own. Raises DecodeError."""
    text = request.headers.get(IDEMPOTENCY_KEY.name)
    if text is None:
        return None
    if not _KEY.fullmatch(text):
        raise DecodeError(
            f"{IDEMPOTENCY_KEY.name} has 1 to {MAX_IDEMPOTENCY_KEY} characters of ASCII, no spaces"
        )
    said = (request.method, request.raw_path, request.headers.get(hdrs.IF_MATCH, ""))
    body = await request.read()
    return Once(
        _digest(sender.encode(), text.encode()),
        _digest(*(part.encode("utf-8", "surrogateescape") for part in said), body),
    )


def _digest(*parts: bytes) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()
