"""Cases in `tests/vectors/handle`: octets that the Handle.Net library made, and what they mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_DIRECTORY = Path(__file__).parents[1] / "vectors" / "handle"


def cases(name: str) -> list[Any]:
    """The cases of one file, for `pytest.mark.parametrize` with `ids=case_id`."""
    found: list[Any] = json.loads((_DIRECTORY / f"{name}.json").read_text("utf-8"))["vectors"]
    return found


def case_id(case: dict[str, Any]) -> str:
    """The name of a case."""
    return str(case["id"])


def about(name: str) -> dict[str, Any]:
    """What one file says of all its cases: the keys in use, for the recorded exchanges."""
    found: dict[str, Any] = json.loads((_DIRECTORY / f"{name}.json").read_text("utf-8"))["about"]
    return found
