"""Protocol versions: which is older, and which one a peer is answered in.

A message carries its own version and one it suggests for the answer; a suggested major of 0 means
"the same". Versions with major 5 come from before 2.0 and count as older than it.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Version(NamedTuple):
    """A protocol version, as 2.11."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


#: The version spoken here, and suggested in every reply.
OWN: Final = Version(2, 11)
#: What is spoken with a peer whose version is not known.
OLDEST: Final = Version(2, 3)
#: From here on digests are SHA-256, before SHA-1.
SHA256_SINCE: Final = Version(2, 7)
#: From here on a request digest names its algorithm; before, it is bare MD5.
NAMED_DIGEST_SINCE: Final = Version(2, 1)
#: From here on 303 refers to a prefix and 202 is known.
NEW_CODES_SINCE: Final = Version(2, 5)
#: Only peers that suggest this or more follow a prefix referral.
PREFIX_REFERRAL_SINCE: Final = Version(2, 10)
_BEFORE_TWO: Final = 5


def at_least(version: Version, wanted: Version) -> bool:
    """Whether `version` is `wanted` or newer."""
    return version.major != _BEFORE_TWO and version >= wanted


def suggested(own: Version, suggestion: Version) -> Version:
    """The version a message asks to be answered in."""
    return suggestion if suggestion.major else own


def spoken(own: Version, suggestion: Version) -> Version:
    """The version of the reply to a message: what it asks for, if that is not newer than ours."""
    wanted = suggested(own, suggestion)
    return OWN if at_least(wanted, OWN) else wanted
