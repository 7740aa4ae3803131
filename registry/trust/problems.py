"""Why a signature is not believed: a closed set of words, one for each way it can fail."""

from __future__ import annotations

from enum import StrEnum


class Problem(StrEnum):
    """The word that reports and tests know a failure by."""

    MALFORMED = "malformed"
    WRONG_SUBJECT = "wrong-subject"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    UNANSWERED = "unanswered"
    NO_CERTIFICATE = "no-certificate"
    WRONG_ALGORITHM = "wrong-algorithm"
    BAD_SIGNATURE = "bad-signature"
    NOT_PERMITTED = "not-permitted"
    LOOP = "loop"
    CHAIN_TOO_LONG = "chain-too-long"
    UNTRUSTED_ROOT = "untrusted-root"
    TOO_MUCH_WORK = "too-much-work"


class Untrusted(Exception):  # noqa: N818 - a verdict, not a malfunction
    """A signature that is not believed. `detail` is safe to show."""

    def __init__(self, problem: Problem, detail: str) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail
