"""Sending lines to a node's `POST /v1/identifiers/bulk`, and hearing what comes of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

import aiohttp
import msgspec
from yarl import URL

from resolver.transports.http_client import HttpReply, NoReply, is_loopback

_TYPE: Final = {"Content-Type": "application/x-ndjson", "Accept": "application/x-ndjson"}
#: Longest line of an answer.
_MAX_LINE: Final = 1 << 20
#: Seconds to connect, and without a word from the node.
_CONNECT: Final = 10.0
_SILENCE: Final = 300.0


async def upload(
    url: str,
    token: str,
    chunks: Iterator[bytes],
    told: Callable[[dict[str, Any]], None],
) -> HttpReply | None:
    """Send everything; `told` gets each line of the answer. The reply where that is a refusal.

    Raises NoReply where the answer does not come to its end.
    """
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=_SILENCE)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, read_bufsize=_MAX_LINE) as session,
            session.post(
                URL(url, encoded=True),
                data=_sent(chunks),
                headers={**_TYPE, "Authorization": f"Bearer {token}"},
                ssl=not is_loopback(url),
                allow_redirects=False,
            ) as response,
        ):
            if response.status != 200:
                body = await response.read()
                return HttpReply(response.status, response.content_type.lower(), body)
            async for line in response.content:
                told(msgspec.json.decode(line))
    except aiohttp.ClientConnectorError as error:
        raise NoReply(url, error.strerror or str(error), sent=False) from None
    except TimeoutError:
        raise NoReply(url, f"nothing came for {_SILENCE:g} s", sent=True) from None
    except (aiohttp.ClientError, ValueError, OSError) as error:
        raise NoReply(url, f"the connection broke ({error})", sent=True) from None
    return None


async def _sent(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
        # Otherwise nobody reads the answer while there is room to send.
        await asyncio.sleep(0)
