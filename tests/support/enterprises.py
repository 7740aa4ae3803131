"""Enterprises that do not exist, for tests: each has a certificate of its own."""

from __future__ import annotations

from typing import Any

import msgspec

from registry.enterprises.enterprise import Form
from registry.seed.enterprises import synthetic_form


def form(number: int = 1) -> Form:
    """The form of the enterprise with this number."""
    return synthetic_form(
        f"test-{number}",
        f"示例企业 {number}",
        f"Demo Enterprise {number}",
        industry="C1512",
        prefecture="511500",
        seed=1,
    )


def form_members(number: int = 1) -> dict[str, Any]:
    """The same as JSON has it."""
    members: dict[str, Any] = msgspec.to_builtins(form(number))
    return members
