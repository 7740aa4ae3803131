"""What fuzzing starts from: octets and texts of the recorded cases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_VECTORS = Path(__file__).parents[1] / "vectors" / "handle"


def octets(name: str, *members: str) -> list[bytes]:
    """The hexadecimal members of these names anywhere in one file of cases."""
    return [bytes.fromhex(text) for text in texts(name, *members)]


def texts(name: str, *members: str) -> list[str]:
    """The texts, and lists of texts, under these names anywhere in one file of cases."""
    return list(_found(documents(name), members))


def documents(name: str) -> list[Any]:
    """The cases of one file."""
    found: list[Any] = json.loads((_VECTORS / f"{name}.json").read_text("utf-8"))["vectors"]
    return found


def bodies(*op_codes: int, replies: bool = False) -> list[bytes]:
    """The bodies of the recorded requests with these op codes, or of the replies."""
    messages = octets("messages", "hex")
    return [
        message[44 : 44 + int.from_bytes(message[40:44], "big")]
        for message in messages
        if int.from_bytes(message[20:24], "big") in op_codes and any(message[24:28]) == replies
    ]


def _found(form: Any, members: tuple[str, ...]) -> Iterator[str]:
    if isinstance(form, list):
        for each in form:
            yield from _found(each, members)
    elif isinstance(form, dict):
        for name, each in form.items():
            if name in members:
                yield from (text for text in _listed(each) if isinstance(text, str))
            yield from _found(each, members)


def _listed(form: Any) -> list[Any]:
    return form if isinstance(form, list) else [form]
