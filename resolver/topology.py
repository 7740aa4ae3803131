"""A topology: the TOML file that names nodes, their parents and what they home, checked on load."""

from __future__ import annotations

import msgspec

from registry.schemes.handle import HandleRules

ROLES = ("recursive", "root", "national", "sector", "enterprise")
#: What each node's block of ten ports holds, as offsets from its base.
PORT_OFFSETS = {"handle": 1, "http": 2, "dns": 3, "https": 4, "metrics": 5}


class Title(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name in both languages."""

    en: str
    zh: str


class Hosted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An enterprise whose prefix is homed on its sector node."""

    prefix: str
    title: Title


class NodeSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One node of a topology as written in its file."""

    name: str
    role: str
    title: Title
    prefix: str | None = None
    parent: str | None = None
    host: str = "127.0.0.1"
    base_port: int | None = None
    industry: str | None = None  # GB/T 4754-2017 class, e.g. "C1512"
    prefecture: str | None = None  # GB/T 2260 code, e.g. "511500"
    operator: Title | None = None
    product: str | None = None  # which family of the seed the sector's identifiers look like
    hosted: tuple[Hosted, ...] = ()
    store: str | None = None  # database URL; default: SQLite in the data directory
    settings: dict[str, str | int | float | bool] = {}


class Topology(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole topology. Node i has the ports from `base_port + 10*i`."""

    name: str
    title: Title
    node: tuple[NodeSpec, ...]
    zone: str = "id.test"
    base_port: int = 2640
    rules: HandleRules = HandleRules()
