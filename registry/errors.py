"""One class for each reason to refuse; the data a front-end needs to say why travels with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from registry import outcomes
from registry.outcomes import Outcome


class Refusal(Exception):  # noqa: N818 - a refusal is an outcome, not a malfunction
    """A coded refusal. `outcome` gives the code on every protocol; str() is safe to show anyone."""

    outcome: ClassVar[Outcome] = outcomes.INTERNAL
    #: Seconds after which to try again, where that is known.
    retry_after: int | None = None


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


class ItemFault(NamedTuple):
    """What is wrong with one item of a record: `rule` is a stable word, `item` the item's name."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    item: str
    rule: str
    message: str


class NotConforming(Refusal):
    """The record is not what the template it names asks for; `faults` are all of them."""

    outcome = outcomes.INVALID_VALUE

    def __init__(self, template: str, faults: Sequence[ItemFault]) -> None:
        super().__init__(f"{template}: {'; '.join(fault.message for fault in faults)}")
        self.faults = tuple(faults)


class NotFound(Refusal):
    """The identifier does not exist."""

    outcome = outcomes.NOT_FOUND


class TemplateNotFound(NotFound):
    """There is no such template, or no such version of it."""


class AlreadyExists(Refusal):
    """The identifier exists and the request did not ask to replace it."""

    outcome = outcomes.ALREADY_EXISTS


class TemplateExists(AlreadyExists):
    """There is a template of this name already."""


class ValuesNotFound(Refusal):
    """The identifier exists and has none of the values named."""

    outcome = outcomes.VALUES_NOT_FOUND


class ValueExists(Refusal):
    """An index named for adding is taken already."""

    outcome = outcomes.VALUE_EXISTS

    def __init__(self, index: int) -> None:
        super().__init__(f"Index conflict for {index}")
        self.index = index


class StateConflict(Refusal):
    """The state of the `subject` forbids the operation."""

    outcome = outcomes.STATE_CONFLICT

    def __init__(self, operation: str, state: str, subject: str = "identifier") -> None:
        super().__init__(f"the {subject} is {state}: {operation} is not possible")


class Gone(Refusal):
    """The identifier was revoked."""

    outcome = outcomes.GONE


class OnHold(Refusal):
    """The identifier is kept out of resolution for a while."""

    outcome = outcomes.ON_HOLD


class PreconditionFailed(Refusal):
    """The identifier is not at the version that the request names."""

    outcome = outcomes.PRECONDITION_FAILED


class IdempotencyMismatch(Refusal):
    """The idempotency key came with another request before."""

    outcome = outcomes.IDEMPOTENCY_MISMATCH


class CheckpointContradicts(Refusal):
    """A checkpoint of an audit log does not go with one that was signed before."""

    outcome = outcomes.CHECKPOINT_CONTRADICTS


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


class NotAnAdministrator(Refusal):
    """Nobody named by the record, or by its prefix, as an administrator."""

    outcome = outcomes.INVALID_ADMIN


class AuthenticationFailed(Refusal):
    """The key named is not there, or the proof was not made with it (no hint which)."""

    outcome = outcomes.AUTHENTICATION_FAILED


class InvalidCredential(Refusal):
    """The proof is of a kind that cannot be checked here, or is missing."""

    outcome = outcomes.INVALID_CREDENTIAL


class AuthenticationUnchecked(Refusal):
    """It takes the word of another node who asks, or what they may do, and there was none."""

    outcome = outcomes.AUTHENTICATION_ERROR


class ChallengeExpired(Refusal):
    """The answer came too late, or a second time."""

    outcome = outcomes.AUTHENTICATION_TIMEOUT


class AlreadyLoggedIn(Refusal):
    """The connection is logged in already."""

    outcome = outcomes.ALREADY_LOGGED_IN


class LoginNeeded(Refusal):
    """The log-in was not begun on this connection."""

    outcome = outcomes.LOGIN_NEEDED


class SessionUnknown(Refusal):
    """There is no such session, or no longer."""

    outcome = outcomes.SESSION_TIMEOUT


class SessionFailed(Refusal):
    """The session cannot be used for this, or cannot be set up in this way."""

    outcome = outcomes.SESSION_FAILED


class InvalidSessionKey(Refusal):
    """The message was not made with the key of its session."""

    outcome = outcomes.INVALID_SESSION_KEY


class RsaKeyNeeded(Refusal):
    """The way of setting up the session needs an RSA key, and another was given."""

    outcome = outcomes.RSA_KEY_NEEDED


class InvalidSessionSetup(Refusal):
    """The request for a session cannot be used."""

    outcome = outcomes.INVALID_SESSION_SETUP


class Replayed(Refusal):
    """A message with this counter was seen before in its session."""

    outcome = outcomes.REPLAY


class Unsupported(Refusal):
    """The operation is not offered here."""

    outcome = outcomes.UNSUPPORTED


class UnsupportedMedia(Refusal):
    """The body has a media type that is not read here."""

    outcome = outcomes.UNSUPPORTED_MEDIA


class NotAcceptable(Refusal):
    """What is asked for has no form of a media type that is accepted."""

    outcome = outcomes.NOT_ACCEPTABLE


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


class TooManyAttempts(Refusal):
    """Log-ins or enrolments come too often from one place; nothing was checked."""

    outcome = outcomes.RATE_LIMITED

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many attempts")
        self.retry_after = retry_after


class RequestQuotaSpent(Refusal):
    """The requests of a day are used up; `retry_after` is the rest of the day in seconds."""

    outcome = outcomes.REQUEST_QUOTA

    def __init__(self, subject: str, limit: int, retry_after: int) -> None:
        super().__init__(f"{subject} may make {limit} requests a day")
        self.retry_after = retry_after


class RegistrationQuotaSpent(Refusal):
    """No more identifiers may be registered."""

    outcome = outcomes.REGISTRATION_QUOTA

    def __init__(self, subject: str, limit: int) -> None:
        super().__init__(f"{subject} may register {limit} identifiers")


class PrefixQuotaSpent(Refusal):
    """No more prefixes may be applied for."""

    outcome = outcomes.PREFIX_QUOTA

    def __init__(self, subject: str, limit: int) -> None:
        super().__init__(f"{subject} may have {limit} prefixes")
