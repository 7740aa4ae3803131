"""The name of a request, by which its reply and reports about it are found."""

from __future__ import annotations

import re
import secrets
from itertools import count
from typing import Final

from aiohttp import web

HEADER: Final = "X-Request-Id"
#: What a client may call its request.
PATTERN: Final = r"[A-Za-z0-9._:/+=-]{1,128}"
_GIVEN: Final = re.compile(PATTERN)
_PROCESS: Final = secrets.token_hex(6)
_NUMBERS: Final = count(1)


def request_id(request: web.BaseRequest) -> str:
    """What the client calls a request, or else a new name."""
    given = request.headers.get(HEADER, "")
    return given if _GIVEN.fullmatch(given) else f"{_PROCESS}-{next(_NUMBERS):x}"
