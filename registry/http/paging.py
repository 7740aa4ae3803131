"""Long lists page by page: `?limit=&cursor=`, answered with `next_cursor` while there is more.

A cursor is the key of the last item, so that the last page costs what the first does, and pages
stay in line whatever is added or removed meanwhile.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta
from yarl import URL

from registry.errors import InvalidValue

Item = TypeVar("Item")
DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000


class PageQuery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The query of a list; more parameters by inheritance."""

    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    cursor: Annotated[str, Meta(max_length=2048, pattern="^[A-Za-z0-9_-]*$")] = ""


def read_cursor(text: str, *kinds: type) -> tuple[Any, ...]:
    """The key in a cursor, of these types; empty for no cursor. Raises InvalidValue."""
    if not text:
        return ()
    try:
        padded = text + "=" * (-len(text) % 4)
        key = msgspec.json.decode(base64.b64decode(padded.encode(), b"-_", validate=True))
    except (binascii.Error, UnicodeEncodeError, msgspec.DecodeError, RecursionError):
        key = None
    if not isinstance(key, list) or [*map(type, key)] != [*kinds]:
        raise InvalidValue("the cursor is not one that was given out here", field="cursor")
    return tuple(key)


def make_cursor(key: Sequence[str | int]) -> str:
    """A cursor for the page behind the item with this key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def page_of(
    found: Sequence[Item],
    limit: int,
    key: Callable[[Item], Sequence[str | int]],
    shown: Callable[[Item], Any],
) -> dict[str, Any]:
    """The body of a page: `found` has one item more than `limit` where there is a next page."""
    items = found[:limit]
    body: dict[str, Any] = {"items": [*map(shown, items)]}
    if len(found) > limit:
        body["next_cursor"] = make_cursor(key(items[-1]))
    return body


def next_link(target: URL, cursor: str) -> str:
    """The Link header of a page that is not the last one (RFC 8288)."""
    return f'<{target.update_query(cursor=cursor)}>; rel="next"'


def cursor_in(body: object) -> str | None:
    """The cursor of the next page in the body of an answer, where it is one of a page."""
    found = (
        body.get("next_cursor") if isinstance(body, dict) else getattr(body, "next_cursor", None)
    )
    return found if isinstance(found, str) else None
