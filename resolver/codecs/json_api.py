"""The JSON API of Handle servers, read side: `GET /api/handles/{handle}` to a Query and back.

Requests and replies are bytes and text; sockets belong to the HTTP transport. Statuses and members
follow Handle.Net 9.3.1; texts are our own and name no internals.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec

from registry import outcomes
from registry.errors import DecodeError, InvalidIdentifier, Refusal
from registry.http.problem import RETRY_AFTER
from registry.outcomes import Outcome
from registry.schemes.handle import DEFAULT_RULES, HandleRules, parse
from registry.values.json_form import value_to_json
from registry.values.value import decode_record
from resolver.codecs.http_parameters import (
    Params,
    as_octets,
    as_text,
    read_flag,
    read_form,
    read_index,
    read_json,
)
from resolver.query import Answer, Query, Referral, Refused, Values

HANDLES: Final = "/api/handles"
SITE: Final = "/api/site"
JSON: Final = "application/json;charset=utf-8"
JAVASCRIPT: Final = "application/javascript;charset=utf-8"
FORM_TYPE: Final = "application/x-www-form-urlencoded"
JSON_TYPE: Final = "application/json"

#: Response code -> status where it is not the outcome's own.
STATUS: Final = {
    1: 200,
    3: 503,
    4: 400,
    5: 501,
    7: 503,
    100: 404,
    101: 409,
    102: 400,
    200: 200,
    201: 409,
    202: 400,
    301: 400,
    302: 300,
    303: 300,
    400: 403,
    401: 403,
    403: 403,
    404: 403,
}
_NOT_IN_CALLBACK: Final = re.compile(r"[^0-9A-Za-z_]")
_NOT_HOMED: Final = "That prefix doesn't live here"


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as it came: `target` is the request target, still percent-encoded.

    `secure` is whether it came over TLS: credentials are asked for there only.
    """

    method: str
    target: str
    content_type: str = ""
    body: bytes = b""
    secure: bool = False


@dataclass(frozen=True, slots=True)
class Style:
    """How the reply is to be written: indented, or wrapped in a call (JSONP)."""

    pretty: bool = False
    callback: str | None = None


@dataclass(frozen=True, slots=True)
class Lookup:
    """A resolution request that can be answered."""

    query: Query
    style: Style
    secure: bool


@dataclass(frozen=True, slots=True)
class SiteRequest:
    """A request for the node's own site record (`/api/site`)."""

    style: Style


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply."""

    status: int
    headers: dict[str, str]
    body: bytes


def decode(request: Request, rules: HandleRules = DEFAULT_RULES) -> Lookup | SiteRequest | Reply:
    """What a request asks for, or the reply that refuses it. Never raises."""
    path, _, query_text = request.target.partition("?")
    params = read_form(as_octets(query_text))
    style = _style(params)
    if request.method not in ("GET", "HEAD", "POST", "PUT", "DELETE"):
        return _refuse(outcomes.UNSUPPORTED, f"Unknown method {request.method}", style, code=4)
    if path == SITE and request.method in ("GET", "HEAD"):
        return SiteRequest(style)
    if path != HANDLES and not path.startswith(HANDLES + "/"):
        endpoint = f"Unknown HTTP API endpoint {request.method} {as_text(as_octets(path))}"
        return _refuse(outcomes.NOT_FOUND, endpoint, style, code=4)
    asked = unquote_to_bytes(as_octets(path[len(HANDLES) + 1 :]))
    if request.method in ("PUT", "DELETE") or (not asked and "prefix" in params):
        named = asked or params.get("prefix", [b""])[0]
        refused = Refused(outcomes.AUTHENTICATION_NEEDED)
        return _encode(refused, named, style, request.secure, None)
    try:
        return _lookup(request, asked, params, style, rules)
    except Refusal as refusal:
        return _refuse(refusal.outcome, str(refusal), style)


def encode(lookup: Lookup, answer: Answer, responsible: str | None = None) -> Reply:
    """The reply to a request. `responsible` names the node that answers for the identifier."""
    return _encode(answer, lookup.query.asked, lookup.style, lookup.secure, responsible)


def encode_site(request: SiteRequest, site: dict[str, Any]) -> Reply:
    """The reply to a request for the site record; `site` is its JSON form."""
    return _write(200, {"responseCode": 1, "site": site}, request.style)


# --- reading ---


def _lookup(
    request: Request, asked: bytes, params: Params, style: Style, rules: HandleRules
) -> Lookup:
    if not asked:
        raise InvalidIdentifier("empty", "Empty handle invalid")
    if request.method == "POST":
        for name, values in _posted(request).items():
            params.setdefault(name, []).extend(values)
    query = Query(
        asked=asked,
        key=parse(asked, rules),
        indexes=tuple(map(read_index, params.get("index", ()))),
        types=tuple(params.get("type", ())),
        public_only=read_flag(params, "publicOnly", default=True),
        fresh=read_flag(params, "auth", default=False),
    )
    return Lookup(query, style, request.secure)


def _posted(request: Request) -> Params:
    """The parameters of a POST, which asks as a GET does."""
    media_type = request.content_type.partition(";")[0].strip().lower()
    if not request.body:
        return {}
    if media_type == FORM_TYPE:
        return read_form(request.body)
    if media_type == JSON_TYPE:
        return read_json(request.body)
    raise DecodeError(f"Unsupported media type {media_type or '(none)'}")


def _style(params: Params) -> Style:
    callback = params.get("callback", [b""])[0]
    scrubbed = _NOT_IN_CALLBACK.sub("_", as_text(callback))
    return Style(read_flag(params, "pretty", default=False), scrubbed or None)


# --- writing ---


def _encode(
    answer: Answer, asked: bytes, style: Style, secure: bool, responsible: str | None
) -> Reply:
    handle = as_text(asked)
    match answer:
        case Values(record=record):
            members = {"responseCode": 1, "handle": handle, "values": _values(record)}
            return _write(200, members, style)
        case Referral(outcome=outcome, prefix=prefix, record=record):
            message = f"Ask the node of prefix {prefix}"
            if responsible:
                message = f"{message}; responsible in the end: {responsible}"
            return _refuse(outcome, message, style, handle=handle, values=_values(record))
        case Refused(outcome=outcomes.VALUES_NOT_FOUND):
            return _write(200, {"responseCode": 200, "values": [], "handle": handle}, style)
        case Refused(outcome=outcome):
            message = _message(answer, responsible)
            reply = _refuse(outcome, message, style, handle=handle)
            return _challenged(reply) if secure and outcome.handle == 402 else reply


def _values(record: bytes) -> list[dict[str, Any]]:
    return [value_to_json(value) for value in decode_record(record)]


def _message(refused: Refused, responsible: str | None) -> str:
    """Why, and for what is not here also who would know."""
    if refused.outcome is outcomes.NOT_RESPONSIBLE:
        return f"{_NOT_HOMED}; ask {responsible}" if responsible else _NOT_HOMED
    if refused.outcome is outcomes.NOT_FOUND and responsible:
        return f"Not registered; responsible for its prefix: {responsible}"
    return refused.detail


def _refuse(
    outcome: Outcome, message: str, style: Style, *, code: int | None = None, **members: Any
) -> Reply:
    said = {"message": message} if message else {}
    body = {"responseCode": outcome.handle if code is None else code, **said, **members}
    status = 403 if outcome.handle == 402 else STATUS.get(outcome.handle, outcome.http)
    reply = _write(status, body, style)
    if outcome.retryable:
        reply.headers["Retry-After"] = str(RETRY_AFTER)
    return reply


def _challenged(reply: Reply) -> Reply:
    """Over TLS credentials may be asked for; over plain HTTP a refusal is all there is (403)."""
    headers = {**reply.headers, "WWW-Authenticate": 'Basic realm="handle"'}
    return Reply(401, headers, reply.body)


def _write(status: int, members: dict[str, Any], style: Style) -> Reply:
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
