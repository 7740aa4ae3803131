"""`/openapi.json` and `/docs`: the description of the API, and a page to read it and to try it.

The page is made of files that come with the program: it loads nothing from anywhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from functools import cache, partial
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
        self._endpoints = endpoints

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/openapi.json", _serving(cache(self._description)))
        for path, (name, media) in _PAGE.items():
            app.router.add_get(path, _serving(partial(_file, name, media)))

    def _description(self) -> _Document:
        document = msgspec.json.encode(describe(self._endpoints))
        return _Document("application/json", msgspec.json.format(document, indent=1))


@cache
def _file(name: str, media: str) -> _Document:
    return _Document(media, files("registry.http").joinpath("docs_page", name).read_bytes())


def _serving(
    document_of: Callable[[], _Document],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Serves a document that is made when it is first asked for: most nodes never are."""

    async def serve(request: web.Request) -> web.Response:
        document = document_of()
        headers = {**_HEADERS, hdrs.CONTENT_TYPE: document.media, hdrs.ETAG: document.tag}
        if request.headers.get(hdrs.IF_NONE_MATCH) == document.tag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=document.octets, headers=headers)

    return serve
