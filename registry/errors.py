"""One class for each reason to refuse; the data a front-end needs to say why travels with it."""

from __future__ import annotations

from typing import ClassVar

from registry import outcomes
from registry.outcomes import Outcome


class Refusal(Exception):  # noqa: N818 - a refusal is an outcome, not a malfunction
    """A coded refusal. `outcome` gives the code on every protocol; str() is safe to show anyone."""

    outcome: ClassVar[Outcome] = outcomes.INTERNAL


class DecodeError(Refusal):
    """Bytes or text that do not follow their format. `offset` counts octets from the start."""

    outcome = outcomes.MALFORMED

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class InvalidIdentifier(Refusal):
    """A text that is no identifier. `rule` is a stable word, `offset` the octet that broke it."""

    outcome = outcomes.INVALID_IDENTIFIER

    def __init__(self, rule: str, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.offset = offset


class InvalidValue(Refusal):
    """A value that may not be stored. `index` is the value's index, `field` the member at fault."""

    outcome = outcomes.INVALID_VALUE

    def __init__(self, message: str, index: int | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.index = index
        self.field = field


class NotFound(Refusal):
    """The identifier does not exist."""

    outcome = outcomes.NOT_FOUND


class AlreadyExists(Refusal):
    """The identifier exists and the request did not ask to replace it."""

    outcome = outcomes.ALREADY_EXISTS


class ValuesNotFound(Refusal):
    """The identifier exists and has none of the values named."""

    outcome = outcomes.VALUES_NOT_FOUND


class ValueExists(Refusal):
    """An index named for adding is taken already."""

    outcome = outcomes.VALUE_EXISTS

    def __init__(self, index: int) -> None:
        super().__init__(f"index {index} exists already")
        self.index = index


class PrefixNotHomed(Refusal):
    """The prefix is not homed on this node."""

    outcome = outcomes.NOT_RESPONSIBLE

    def __init__(self, prefix: str) -> None:
        super().__init__(f"prefix {prefix} is not homed on this node")
        self.prefix = prefix


class NotPermitted(Refusal):
    """Who asks is known and may not do this."""

    outcome = outcomes.NOT_PERMITTED


class AuthenticationNeeded(Refusal):
    """Nobody knows who asks: credentials are missing or wrong (no hint which)."""

    outcome = outcomes.AUTHENTICATION_NEEDED


class StorageUnavailable(Refusal):
    """The store cannot take writes (disk full, read-only, I/O error); resolution goes on."""

    outcome = outcomes.STORAGE


class OutcomeUnknown(Refusal):
    """The commit failed after it was sent: the change may or may not be there."""

    outcome = outcomes.OUTCOME_UNKNOWN


class Overloaded(Refusal):
    """Too much is waiting already; nothing was done and the same request may succeed later."""

    outcome = outcomes.BUSY


class Draining(Refusal):
    """The node is shutting down and takes nothing new; nothing was done."""

    outcome = outcomes.DRAINING
