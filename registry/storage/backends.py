"""Which backend a database URL names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from registry.storage.interface import Store, StoreNotUsable
from registry.storage.sqlite import SqliteStore


async def _open_sqlite(url: str) -> Store:
    path = make_url(url).database
    if not path or path == ":memory:":
        raise StoreNotUsable(f"{url}: an SQLite store needs a file")
    return await SqliteStore.open(Path(path))


BACKENDS: Final[dict[str, Callable[[str], Awaitable[Store]]]] = {"sqlite": _open_sqlite}


async def open_store(url: str) -> Store:
    """The store that a URL such as `sqlite:///node.db` names.

    Raises StoreNotUsable for a URL that names none, StorageUnavailable if it cannot be opened.
    """
    try:
        name = make_url(url).get_backend_name()
    except ArgumentError:
        raise StoreNotUsable(f"{url!r} is not a database URL") from None
    if name not in BACKENDS:
        raise StoreNotUsable(f"there is no store for {name!r}, only {', '.join(BACKENDS)}")
    return await BACKENDS[name](url)
