"""The one table from an outcome to its code on every protocol.

Handle response codes: RFC 3652 section 2.2.2 as the DO-IRP family numbers them. DNS: RFC 1035
rcodes and RFC 8914 extended errors. HTTP: a status and the slug of an RFC 9457 problem type.
A front-end never invents a code: it looks its outcome up here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, NOTAUTH, BADVERS = 0, 1, 2, 3, 4, 5, 9, 16


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way a request can end.

    `handle`, `dns` and `http` are the codes on each protocol, `ede` the RFC 8914 extended error
    (None: none is sent); `retryable` tells a client whether the same request may succeed later.
    """

    slug: str
    handle: int
    dns: int
    http: int
    title: str
    ede: int | None = None
    retryable: bool = False


OK: Final = Outcome("ok", 1, NOERROR, 200, "Success")
INTERNAL: Final = Outcome("internal", 2, SERVFAIL, 500, "The server failed to process the request")
BUSY: Final = Outcome("overloaded", 3, SERVFAIL, 503, "The server is busy", 0, True)
DRAINING: Final = Outcome("draining", 3, SERVFAIL, 503, "The node is shutting down", 0, True)
MALFORMED: Final = Outcome("malformed", 4, FORMERR, 400, "The message cannot be read")
TOO_LARGE: Final = Outcome("too-large", 4, FORMERR, 413, "The message is too large")
URI_TOO_LONG: Final = Outcome("too-large", 4, FORMERR, 414, "The request target is too long")
HEADERS_TOO_LARGE: Final = Outcome("too-large", 4, FORMERR, 431, "The headers are too large")
UNSUPPORTED: Final = Outcome("unsupported", 5, NOTIMP, 501, "The operation is not supported")
METHOD_NOT_ALLOWED: Final = Outcome(
    "method-not-allowed", 5, NOTIMP, 405, "The method is not allowed here"
)
UNSUPPORTED_MEDIA: Final = Outcome(
    "unsupported-media-type", 4, FORMERR, 415, "The body has a media type that is not read here"
)
NOT_ACCEPTABLE: Final = Outcome(
    "not-acceptable", 4, FORMERR, 406, "There is no answer of a media type that is accepted"
)
RESOLUTION_LIMIT: Final = Outcome(
    "resolution-limit", 6, SERVFAIL, 502, "The resolution took too many steps", 22
)
RESOLUTION_LOOP: Final = Outcome(
    "resolution-loop", 6, SERVFAIL, 508, "The referrals go round in a circle", 22
)
STORAGE: Final = Outcome("storage", 7, SERVFAIL, 507, "The store refuses writes", None, True)
NOT_FOUND: Final = Outcome("not-found", 100, NXDOMAIN, 404, "The identifier does not exist")
ON_HOLD: Final = Outcome("on-hold", 100, NXDOMAIN, 403, "The identifier is on hold")
GONE: Final = Outcome("gone", 100, NXDOMAIN, 410, "The identifier was revoked")
ALREADY_EXISTS: Final = Outcome(
    "already-exists", 101, REFUSED, 409, "The identifier exists already"
)
INVALID_IDENTIFIER: Final = Outcome(
    "invalid-identifier", 102, NXDOMAIN, 400, "The text is not an identifier"
)
VALUES_NOT_FOUND: Final = Outcome(
    "value-not-found", 200, NOERROR, 404, "The identifier has no such values"
)
VALUE_EXISTS: Final = Outcome("value-exists", 201, REFUSED, 409, "The index is taken already")
INVALID_VALUE: Final = Outcome("validation", 202, REFUSED, 422, "A value is not valid")
NOT_RESPONSIBLE: Final = Outcome(
    "not-responsible", 301, REFUSED, 421, "This node does not answer for the prefix", 20
)
SERVICE_REFERRAL: Final = Outcome(
    "service-referral", 302, NOERROR, 307, "Another node answers for the prefix"
)
PREFIX_REFERRAL: Final = Outcome(
    "prefix-referral", 303, NOERROR, 307, "Another node knows the derived prefix"
)
INVALID_ADMIN: Final = Outcome("forbidden", 400, REFUSED, 403, "Not an administrator of the record")
NOT_PERMITTED: Final = Outcome("not-permitted", 401, REFUSED, 403, "The right is missing")
STATE_CONFLICT: Final = Outcome(
    "state-conflict", 401, REFUSED, 409, "The state of the identifier forbids it"
)
PRECONDITION_FAILED: Final = Outcome(
    "precondition-failed", 401, REFUSED, 412, "The identifier is at another version"
)
IDEMPOTENCY_MISMATCH: Final = Outcome(
    "idempotency-mismatch", 4, FORMERR, 422, "The idempotency key belongs to another request"
)
CHECKPOINT_CONTRADICTS: Final = Outcome(
    "checkpoint-contradicts", 401, REFUSED, 409, "The checkpoint contradicts an earlier one"
)
AUTHENTICATION_NEEDED: Final = Outcome(
    "authentication", 402, REFUSED, 401, "Authentication is needed"
)
AUTHENTICATION_FAILED: Final = Outcome(
    "authentication", 403, REFUSED, 401, "The authentication failed"
)
INVALID_CREDENTIAL: Final = Outcome(
    "authentication", 404, REFUSED, 401, "The credential is invalid"
)
AUTHENTICATION_TIMEOUT: Final = Outcome(
    "authentication", 405, REFUSED, 401, "The challenge has expired"
)
AUTHENTICATION_ERROR: Final = Outcome(
    "authentication", 406, SERVFAIL, 401, "The authentication could not be checked"
)
ALREADY_LOGGED_IN: Final = Outcome(
    "already-logged-in", 407, REFUSED, 409, "The connection is logged in already"
)
LOGIN_NEEDED: Final = Outcome("authentication", 408, REFUSED, 401, "A log-in is needed first")
SESSION_TIMEOUT: Final = Outcome("session", 500, REFUSED, 401, "The session is unknown or expired")
SESSION_FAILED: Final = Outcome("session", 501, REFUSED, 401, "The session could not be used")
INVALID_SESSION_KEY: Final = Outcome("session", 502, REFUSED, 401, "The session key is invalid")
RSA_KEY_NEEDED: Final = Outcome(
    "session", 503, REFUSED, 401, "An RSA key is needed for this session"
)
INVALID_SESSION_SETUP: Final = Outcome("session", 504, REFUSED, 400, "The session setup is invalid")
REPLAY: Final = Outcome("replay", 505, REFUSED, 401, "The message was seen before")
RATE_LIMITED: Final = Outcome("rate-limited", 3, REFUSED, 429, "Too many attempts", None, True)
REQUEST_QUOTA: Final = Outcome(
    "rate-limited", 603, REFUSED, 429, "The request quota is spent", None, True
)
REGISTRATION_QUOTA: Final = Outcome(
    "quota-exceeded", 604, REFUSED, 429, "The registration quota is spent"
)
PREFIX_QUOTA: Final = Outcome("quota-exceeded", 605, REFUSED, 429, "The prefix quota is spent")
UPSTREAM_TIMEOUT: Final = Outcome(
    "upstream-timeout", 2, SERVFAIL, 504, "A node above did not answer in time", 22, True
)
UPSTREAM_BAD: Final = Outcome(
    "upstream-bad", 2, SERVFAIL, 502, "A node above gave an answer that cannot be used", 23, True
)
OUTCOME_UNKNOWN: Final = Outcome(
    "outcome-unknown", 2, SERVFAIL, 500, "It is not known whether the change was made", None, True
)

#: Every outcome by its constant's name: docs and tests walk it.
OUTCOMES: Final[dict[str, Outcome]] = {
    name: value for name, value in list(globals().items()) if isinstance(value, Outcome)
}
