"""What is said with a decision: one line."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta

_LINE: Final = r"^[^\x00-\x1f\x7f]*$"

Reason: TypeAlias = Annotated[str, Meta(max_length=500, pattern=_LINE)]


class Rejection(msgspec.Struct, forbid_unknown_fields=True):
    """A refusal and its reason."""

    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=_LINE)]
