"""`/openapi.json` and `/docs`: the description of the API, and a page to read it and to try it.

The page is made of files that come with the program: it loads nothing from anywhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from typing import Final, NamedTuple

import msgspec
from aiohttp import hdrs, web

from registry.http.description import describe
from registry.http.endpoints import Endpoint

_POLICY: Final = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    hdrs.CACHE_CONTROL: "no-cache",
}
#: Where each file of the page is, and its media type.
_PAGE: Final = {
    "/docs": ("index.html", "text/html; charset=utf-8"),
    "/docs/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/docs/words.js": ("words.js", "text/javascript; charset=utf-8"),
    "/docs/page.css": ("page.css", "text/css; charset=utf-8"),
}


class _Document(NamedTuple):
    media: str
    octets: bytes

    @property
    def tag(self) -> str:
        return f'"{hashlib.sha256(self.octets).hexdigest()[:16]}"'


class Documentation:
    """Serves the description of endpoints and the page about it."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        description = msgspec.json.format(msgspec.json.encode(describe(endpoints)), indent=1)
        self._documents = {"/openapi.json": _Document("application/json", description)}
        page = files("registry.http").joinpath("docs_page")
        for path, (name, media) in _PAGE.items():
            self._documents[path] = _Document(media, page.joinpath(name).read_bytes())

    def add_to(self, app: web.Application) -> None:
        for path, document in self._documents.items():
            app.router.add_get(path, _serving(document))


def _serving(document: _Document) -> Callable[[web.Request], Awaitable[web.Response]]:
    headers = {**_HEADERS, hdrs.CONTENT_TYPE: document.media, hdrs.ETAG: document.tag}

    async def serve(request: web.Request) -> web.Response:
        if request.headers.get(hdrs.IF_NONE_MATCH) == document.tag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=document.octets, headers=headers)

    return serve
