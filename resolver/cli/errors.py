"""How a command ends: an exit status with one line that says what, where and what to do."""

from __future__ import annotations

from typing import ClassVar

DONE, NEGATIVE, USAGE, NOBODY, INTERRUPTED = 0, 1, 2, 3, 130


class CommandError(Exception):
    """Ends the command; str() is what the user reads on standard error."""

    status: ClassVar[int] = NEGATIVE


class Negative(CommandError):  # noqa: N818 - an outcome
    """A negative answer: not found, refused, threshold missed, address or directory in use."""


class Unsafe(CommandError):  # noqa: N818 - an outcome
    """The configuration is wrong or unsafe."""

    status = USAGE


class NobodyAnswered(CommandError):  # noqa: N818 - an outcome
    """No node runs, or none answered in time."""

    status = NOBODY
