"""HTTP replies of the JSON API: answers, what was done, and refusals with their statuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from registry import outcomes
from registry.errors import Refusal
from registry.http.problem import RETRY_AFTER
from registry.outcomes import Outcome
from registry.values.json_form import value_to_json
from registry.values.value import decode_record
from resolver.codecs.http_parameters import as_text
from resolver.query import Answer, Referral, Refused, Values

if TYPE_CHECKING:
    from resolver.codecs.json_api.request import Lookup, Page, SiteRequest

JSON: Final = "application/json;charset=utf-8"
JAVASCRIPT: Final = "application/javascript;charset=utf-8"
BASIC_CHALLENGE: Final = 'Basic realm="handle"'

#: Response code -> status where it is not the outcome's own.
STATUS: Final = {
    1: 200,
    3: 503,
    5: 501,
    7: 503,
    100: 404,
    101: 409,
    102: 400,
    200: 400,
    201: 409,
    202: 400,
    301: 400,
    302: 300,
    303: 300,
    400: 403,
    401: 403,
    402: 403,
    403: 403,
    404: 403,
}
#: Outcomes whose status tells more than that of their response code.
_OWN_STATUS: Final = (outcomes.METHOD_NOT_ALLOWED, outcomes.ON_HOLD, outcomes.GONE)
#: Outcomes that say all there is to say, as peers find it.
_SPEAK_FOR_THEMSELVES: Final = frozenset((100, 101, 200, 400, 402))
_NOT_HOMED: Final = "That prefix doesn't live here"


@dataclass(frozen=True, slots=True)
class Style:
    """How the reply is to be written: indented, or wrapped in a call (JSONP)."""

    pretty: bool = False
    callback: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply; `challenges` are the values of as many WWW-Authenticate headers."""

    status: int
    headers: dict[str, str]
    body: bytes
    challenges: tuple[str, ...] = ()


# --- answers ---


def encode(lookup: Lookup, answer: Answer, responsible: str | None = None) -> Reply:
    """The reply to a resolution. `responsible` names the node that answers for the identifier.

    What needs an administrator is to be challenged by the caller (`challenged`).
    """
    handle, style = as_text(lookup.query.asked), lookup.style
    match answer:
        case Values(record=record):
            members = {"responseCode": 1, "handle": handle, "values": _values(record)}
            return write(200, members, style)
        case Referral(outcome=outcome, prefix=prefix, record=record):
            message = f"Ask the node of prefix {prefix}"
            if responsible:
                message = f"{message}; responsible in the end: {responsible}"
            return refuse(outcome, message, style, handle=handle, values=_values(record))
        case Refused(outcome=outcomes.VALUES_NOT_FOUND):
            return write(200, {"responseCode": 200, "values": [], "handle": handle}, style)
        case Refused(outcome=outcome):
            return refuse(outcome, _message(answer, responsible), style, handle=handle)


def encode_site(request: SiteRequest, site: dict[str, Any]) -> Reply:
    """The reply to a request for the site record; `site` is its JSON form."""
    return write(200, {"responseCode": 1, "site": site}, request.style)


def encode_done(asked: bytes, style: Style, *, created: bool = False) -> Reply:
    """A change was made; `created` if something came to be that was not there."""
    members = {"responseCode": 1, "handle": as_text(asked)}
    return write(201 if created else 200, members, style)


def encode_verdict(holds: bool, handle: bytes, style: Style) -> Reply:
    """Whether a proof of a secret key holds."""
    return write(200, {"responseCode": 1, "isValid": holds, "handle": as_text(handle)}, style)


def encode_list(
    name: str, found: Sequence[str], total: int, page: Page, style: Style, prefix: bytes = b""
) -> Reply:
    """A page of a list called `name`, out of `total`; peers expect that number as a string."""
    members: dict[str, Any] = {"responseCode": 1}
    if prefix:
        members["prefix"] = as_text(prefix)
    members["totalCount"] = str(total)
    if page.size is not None:
        members |= {"page": page.number, "pageSize": page.size}
    return write(200, {**members, name: found}, style)


def _values(record: bytes) -> list[dict[str, Any]]:
    return [value_to_json(value) for value in decode_record(record)]


def _message(refused: Refused, responsible: str | None) -> str:
    """Why, and for what is not here also who would know."""
    if refused.outcome is outcomes.NOT_RESPONSIBLE:
        return f"{_NOT_HOMED}; ask {responsible}" if responsible else _NOT_HOMED
    if refused.outcome is outcomes.NOT_FOUND and responsible:
        return f"Not registered; responsible for its prefix: {responsible}"
    return refused.detail


# --- refusals ---


def refuse(
    outcome: Outcome, message: str, style: Style, *, code: int | None = None, **members: Any
) -> Reply:
    """The refusal with an outcome; `code` is the response code where it is not the outcome's."""
    said = {"message": message} if message else {}
    body = {"responseCode": outcome.handle if code is None else code, **said, **members}
    reply = write(_status(outcome), body, style)
    if outcome.retryable:
        reply.headers["Retry-After"] = str(RETRY_AFTER)
    return reply


def _status(outcome: Outcome) -> int:
    own = outcome in _OWN_STATUS
    return outcome.http if own else STATUS.get(outcome.handle, outcome.http)


def encode_refusal(
    refusal: Refusal, asked: bytes, style: Style, responsible: str | None = None
) -> Reply:
    """The reply to a request about an identifier or prefix that was refused."""
    outcome = refusal.outcome
    message = "" if outcome.handle in _SPEAK_FOR_THEMSELVES else str(refusal)
    if outcome is outcomes.NOT_RESPONSIBLE:
        message = _message(Refused(outcome), responsible)
    about = asked if outcome is not outcomes.MALFORMED else b""
    named: dict[str, Any] = {"handle": as_text(about)} if about else {}
    return refuse(outcome, message, style, **named)


def challenged(reply: Reply, *challenges: str) -> Reply:
    """The same with 401, asking for credentials."""
    return replace(reply, status=401, challenges=challenges)


def too_large(limit: int) -> Reply:
    """The reply to a body of more than `limit` octets."""
    message = f"The body is too large: at most {limit} octets are read"
    return refuse(outcomes.TOO_LARGE, message, Style())


def busy(message: str) -> Reply:
    """The reply to a request that is not looked at, for too much else is under way."""
    return refuse(outcomes.BUSY, message, Style())


def write(status: int, members: dict[str, Any], style: Style) -> Reply:
    """A reply with a JSON object."""
    body = msgspec.json.encode(members)
    if style.pretty:
        body = msgspec.json.format(body, indent=2)
    if style.callback:
        body = b"%s(%s);" % (style.callback.encode(), body)
    headers = {
        "Content-Type": JAVASCRIPT if style.callback else JSON,
        "X-Content-Type-Options": "nosniff",
    }
    return Reply(status, headers, body)
