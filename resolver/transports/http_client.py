"""One HTTP request, for the command line: a reply, or a clear word about whether it was sent."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec
from yarl import URL

MAX_BODY: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class HttpReply:
    """Status, media type (without parameters, lower-case) and body of a reply."""

    status: int
    media_type: str
    body: bytes

    def document(self) -> dict[str, Any]:
        """The JSON object in the body; empty if there is none."""
        try:
            found = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


class NoReply(Exception):  # noqa: N818 - silence is an outcome
    """No reply came. `sent` is False where the server never got the request."""

    def __init__(self, url: str, reason: str, *, sent: bool) -> None:
        super().__init__(f"{url}: {reason}")
        self.sent = sent


async def fetch(
    method: str,
    url: str,
    *,
    timeout: float,  # noqa: ASYNC109 - a deadline of the whole exchange, kept by aiohttp
    headers: dict[str, str] | None = None,
    document: Any = None,
) -> HttpReply:
    """Send one request; `url` is percent-encoded already, `document` goes as JSON. Raises NoReply.

    Certificates are checked, except on loopback, where nodes show ones that they made themselves.
    """
    sent_headers = {"Accept": "application/json", **(headers or {})}
    body = None
    if document is not None:
        encoded = msgspec.json.encode(document)
        sent_headers |= {"Content-Type": "application/json", "Content-Length": str(len(encoded))}
        body = _once(encoded)
    limit = aiohttp.ClientTimeout(total=timeout)
    where = _where(url)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit, auto_decompress=True) as session,
            session.request(
                method,
                URL(url, encoded=True),
                headers=sent_headers,
                data=body,
                ssl=not is_loopback(url),
                allow_redirects=False,
            ) as response,
        ):
            content = b""
            while chunk := await response.content.read(MAX_BODY - len(content)):
                content += chunk
            return HttpReply(response.status, response.content_type.lower(), content)
    except aiohttp.ClientConnectorError as error:
        raise NoReply(where, error.strerror or str(error), sent=False) from None
    except TimeoutError:
        raise NoReply(where, f"no reply within {timeout:g} s", sent=True) from None
    except (aiohttp.ClientError, ValueError, OSError) as error:
        reason = str(error) or type(error).__name__
        raise NoReply(where, f"the connection broke ({reason})", sent=True) from None


async def _once(content: bytes) -> AsyncIterator[bytes]:
    """A body that cannot be sent twice: aiohttp would repeat a PUT whose connection broke.

    Whether the first one was carried out is for the caller to find out, not to be guessed.
    """
    yield content


def _where(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine, where nodes show certificates they made themselves."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
