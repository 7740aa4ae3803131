"""What scripts of other sites may do (the CORS protocol of the Fetch standard).

Any origin may read the API, and write with an Authorization header that the script itself knows;
cookies and other credentials of the browser never count.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from resolver.codecs.json_api.reply import Reply
from resolver.codecs.json_api.request import METHODS, Request

_METHODS: Final = "GET,POST,HEAD,PUT,DELETE"
_HEADERS: Final = "X-Requested-With,Authorization,Origin,Accept,Content-Type"
_SECONDS: Final = "86400"
#: Headers that scripts may read without being told so.
_SAFE: Final = frozenset(("Content-Type", "Cache-Control", "Expires", "Last-Modified", "Vary"))


def answer_options(request: Request) -> Reply | None:
    """The reply to OPTIONS: a preflight, or what methods there are; None for other methods."""
    if request.method != "OPTIONS":
        return None
    if "Origin" not in request.headers or "Access-Control-Request-Method" not in request.headers:
        return Reply(200, {"Allow": ", ".join(METHODS)}, b"")
    headers = {
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": _HEADERS,
        "Access-Control-Max-Age": _SECONDS,
    }
    return Reply(200, headers, b"")


def for_origin(reply: Reply, origin: str | None) -> Reply:
    """The same reply, for a script of this origin to read."""
    if origin is None:
        return reply
    exposed = ["Content-Length", *(name for name in reply.headers if name not in _SAFE)]
    if reply.challenges:
        exposed.append("WWW-Authenticate")
    exposed = [name for name in exposed if not name.startswith("Access-Control-")]
    headers = {
        **reply.headers,
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": ",".join(exposed),
        "Vary": "Origin",
    }
    return replace(reply, headers=headers)
