"""A server's refusal as an exception."""

from __future__ import annotations

from registry.outcomes import Outcome
from resolver.codecs.handle.checking import outcome_of


class Denied(Exception):  # noqa: N818 - a refusal is an outcome, not a malfunction
    """The server answered, and refused. `code` is its response code, `message` what it said.

    `outcome` is the code in the words of `registry.outcomes`.
    """

    def __init__(self, code: int, message: str = "") -> None:
        self.code = code
        self.message = message
        self.outcome: Outcome = outcome_of(code)
        super().__init__(f"{message or self.outcome.title} (response code {code})")
