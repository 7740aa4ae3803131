"""Where a browser may be sent: URLs made safe for a header, or refused.

Only a few schemes are followed, never with user names in them, and never to a place that depends on
how a browser reads what is not a URL.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from registry.errors import DecodeError
from registry.values.site import HTTP, decode_site
from registry.values.value import decode_record

#: Schemes that are followed, and whether an authority (`//host`) belongs to them.
SCHEMES: Final = {"http": True, "https": True, "ftp": True, "mailto": False}
MAX_URL: Final = 8_000
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PARTS: Final = re.compile(r"(?P<scheme>[A-Za-z]{3,6}):(?://(?P<authority>[^/?#]*))?(?P<rest>.*)")
_HOST: Final = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,253})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?"
)
#: Characters of paths and queries that stay; "%" is one, as URLs are registered percent-encoded.
_SAFE: Final = "%/:?#@!$&'()*+,;=~"
_PATH_SAFE: Final = "/:@!$&'()*+,;=~"


def safe_url(text: str) -> str | None:
    """The URL in ASCII, percent-encoded where needed; None if it is not to be followed."""
    text = text.strip()
    parts = _PARTS.fullmatch(text) if len(text) <= MAX_URL and not _CONTROL.search(text) else None
    if parts is None:
        return None
    scheme, authority = parts["scheme"].lower(), parts["authority"]
    if SCHEMES.get(scheme) is not (authority is not None):
        return None
    if authority is None:
        return f"{scheme}:{quote(parts['rest'], _SAFE)}"
    host = _ascii_host(authority)
    return None if host is None else f"{scheme}://{host}{quote(parts['rest'], _SAFE)}"


def appended(text: str, append: str) -> str | None:
    """`safe_url` with something behind it that must not lead elsewhere. Raises DecodeError."""
    url = safe_url(text)
    if url is None or not append:
        return url
    longer = safe_url(text.strip() + append)
    place = _PARTS.fullmatch(url)
    other = _PARTS.fullmatch(longer or "")
    if place is None or other is None or place["authority"] is None:
        raise DecodeError("this cannot be appended to the URL")
    if place.group("scheme", "authority") != other.group("scheme", "authority"):
        raise DecodeError("what is appended would lead to another host")
    return longer


def own_path(handle: str, query: str = "") -> str:
    """The path of an identifier on the proxy itself."""
    path = f"/{quote(handle, _PATH_SAFE)}"
    return f"{path}?{quote(query, _SAFE)}" if query else path


def web_address(record: bytes) -> str | None:
    """The `http://host:port` of the first server with an HTTP interface in a record of sites."""
    for value in decode_record(record):
        try:
            site = decode_site(value.data)
        except DecodeError:
            continue
        for server in site.servers:
            host = f"[{server.address}]" if ":" in server.address else server.address
            for interface in server.interfaces:
                if interface.protocol == HTTP and interface.query:
                    return f"http://{host}:{interface.port}"
    return None


def _ascii_host(authority: str) -> str | None:
    """Host and port in ASCII. None for what is no plain host, such as one behind a user name."""
    host, colon, port = authority, "", ""
    if not authority.isascii():
        host, colon, port = authority.partition(":")
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            return None
    whole = f"{host}{colon}{port}"
    return whole if _HOST.fullmatch(whole) else None
