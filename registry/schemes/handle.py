"""The Handle name space (RFC 3650 section 3, RFC 3651 section 2): `prefix "/" suffix`.

The first "/" splits. A text without one is a prefix and names its record: `88.901` is
`0.NA/88.901`. The prefix, and by default the whole identifier, compares ASCII-case-insensitively;
the canonical form is upper-cased in ASCII only (É and é differ).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from registry.errors import InvalidIdentifier

#: The prefix under which the records of all prefixes live.
PREFIX_RECORDS: Final = "0.NA"
ROOT_RECORD: Final = "0.NA/0.NA"
#: The identifier whose key every chain of signatures ends at, and the prefix it lies under.
TRUST_ROOT: Final = "0.0/0.0"
TRUST_PREFIX: Final = "0.0"
MAX_LENGTH: Final = 255
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Key(NamedTuple):
    """The canonical form that identifiers are stored and compared by."""

    prefix: str
    suffix: str

    def __str__(self) -> str:
        return f"{self.prefix}/{self.suffix}"

    @property
    def is_prefix_record(self) -> bool:
        return self.prefix == PREFIX_RECORDS


@dataclass(frozen=True, slots=True)
class HandleRules:
    """What a topology lets a handle look like.

    `max_length` counts octets of UTF-8. The patterns apply to the segments of prefixes under a
    national code, in the order national, sector, enterprise, further ones.
    """

    max_length: int = MAX_LENGTH
    national: str = r"[0-9]{2}"
    sector: str = r"[0-9]{3,4}"
    enterprise: str = r"[0-9]{1,8}"
    case_sensitive_suffix: bool = False


DEFAULT_RULES: Final = HandleRules()


def ascii_upper(text: str) -> str:
    """Upper-case a-z and nothing else."""
    return text.upper() if text.isascii() else text.encode().upper().decode()


def parse(text: str | bytes, rules: HandleRules = DEFAULT_RULES) -> Key:
    """The canonical key of a handle as somebody wrote it. Raises InvalidIdentifier.

    Accepts any prefix of the global Handle system; the digit rules of a topology are a matter of
    `check_prefix`, for registration only.
    """
    if isinstance(text, bytes):
        if len(text) > rules.max_length:
            raise InvalidIdentifier(
                "length",
                f"{len(text)} octets, at most {rules.max_length} are allowed",
                rules.max_length,
            )
        try:
            text = text.decode()
        except UnicodeDecodeError as error:
            raise InvalidIdentifier("utf-8", "not valid UTF-8", error.start) from None
    # Control characters are not printable; what else is not is looked at again.
    if not text.isprintable() and (control := _CONTROL.search(text)):
        raise InvalidIdentifier("control", "control character in identifier", control.start())
    if (length := len(text) if text.isascii() else len(text.encode())) > rules.max_length:
        raise InvalidIdentifier(
            "length", f"{length} octets, at most {rules.max_length} are allowed", rules.max_length
        )
    prefix, slash, suffix = ascii_upper(text).partition("/")
    if not slash:
        prefix, suffix = PREFIX_RECORDS, prefix
    if not prefix:
        raise InvalidIdentifier("prefix", "the prefix is empty")
    if rules.case_sensitive_suffix and not prefix.startswith("0."):
        suffix = text.partition("/")[2]
    return Key(prefix, suffix)


def check_prefix(prefix: str, rules: HandleRules = DEFAULT_RULES) -> None:
    """Hold a prefix against the digit rules of the topology. Raises InvalidIdentifier."""
    segments = prefix.split(".")
    patterns = (rules.national, rules.sector, rules.enterprise)
    names = ("national", "sector", "enterprise")
    offset = 0
    for position, segment in enumerate(segments):
        pattern = patterns[min(position, 2)]
        if not re.fullmatch(pattern, segment):
            name = names[min(position, 2)]
            raise InvalidIdentifier(
                f"{name}-code", f"{name} code {segment!r} does not match {pattern}", offset
            )
        offset += len(segment) + 1


def parent(prefix: str) -> str | None:
    """The prefix one segment up, None at the top: `88.901.7` -> `88.901` -> `88` -> None."""
    head, dot, _ = prefix.rpartition(".")
    return head if dot else None


def parse_prefix(text: str, rules: HandleRules) -> str:
    """A prefix in its canonical form. Raises InvalidIdentifier."""
    key = parse(text, rules)
    if not key.is_prefix_record or not key.suffix:
        raise InvalidIdentifier("prefix", "the text is not a prefix")
    return key.suffix


def ancestors(prefix: str) -> list[str]:
    """The prefix and all above it, nearest first: `88.901.7`, `88.901`, `88`."""
    found = [prefix]
    while (above := parent(found[-1])) is not None:
        found.append(above)
    return found


def prefix_record(prefix: str) -> Key:
    """The key of the record of a prefix."""
    return Key(PREFIX_RECORDS, prefix)
