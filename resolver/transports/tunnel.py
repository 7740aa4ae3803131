"""The tunnel for Handle messages through HTTP: a POST to any path, told by its media type.

The status is always 200, whatever the message in it says; one newline in front of a request is
tolerated, as peers do. Other requests are not touched.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

MEDIA_TYPE = "application/x-hdl-message"

#: Body of a request and its peer's address to the body of the reply.
Tunnelled = Callable[[bytes, str], Awaitable[bytes]]


def add_tunnel(tunnelled: Tunnelled) -> Callable[[web.Application], None]:
    """What adds the tunnel to an application."""

    @web.middleware
    async def tunnel(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method != hdrs.METH_POST or request.content_type != MEDIA_TYPE:
            return await handler(request)
        reply = await tunnelled(await request.read(), request.remote or "")
        return web.Response(body=reply, content_type=MEDIA_TYPE)

    return lambda app: app.middlewares.append(tunnel)
