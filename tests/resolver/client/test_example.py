"""The example in the documentation does what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from resolver.client import Endpoint, SecretKey
from tests.support.administered import administered_node

DOCUMENT = Path(__file__).parents[3] / "docs" / "handle.md"


def example() -> dict[str, Any]:
    """What the one Python example of the document defines."""
    (source,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(source, str(DOCUMENT), "exec"), names)
    return names


async def test_the_example_in_the_documentation(tmp_path, capsys):
    register = example()["register"]
    async with administered_node(tmp_path) as node:
        admin = node.admins["88.1000"]
        key = SecretKey(admin.handle, admin.index, admin.secret.encode())
        start = Endpoint(*node.address)
        await register(start, key, "88.1000/BOT-NEW")
        first = capsys.readouterr().out.splitlines()
        await register(start, key, "88.1000/BOT-NEW")
        second = capsys.readouterr().out.splitlines()
    assert "88.1000/BOT-NEW" in first
    assert first[-2:] == ["1 URL https://example.org/1", "2 EMAIL a@example.org"]
    assert second == ["88.1000/BOT-NEW: 101 already-exists", *first]
