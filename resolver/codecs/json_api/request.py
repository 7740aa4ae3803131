"""What an HTTP request under /api asks for: one table of endpoints and methods.

decode(request, rules) -> Asked          or the Reply that refuses it; never raises
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

from registry import outcomes
from registry.errors import DecodeError, InvalidIdentifier, Refusal
from registry.schemes.handle import DEFAULT_RULES, HandleRules, parse
from registry.values.value import Value
from resolver.codecs.handle.bodies.authentication import VerifyRequest
from resolver.codecs.http_parameters import (
    Params,
    as_octets,
    as_text,
    read_count,
    read_flag,
    read_form,
    read_index,
    read_json,
)
from resolver.codecs.json_api.authorization import read_verification
from resolver.codecs.json_api.reply import Reply, Style, encode_refusal, refuse
from resolver.codecs.json_api.values_body import check_named_indexes, read_values
from resolver.query import Query

ROOT: Final = "/api/"
FORM_TYPE: Final = "application/x-www-form-urlencoded"
JSON_TYPE: Final = "application/json"
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
_NOT_IN_CALLBACK: Final = re.compile(r"[^0-9A-Za-z_]")
#: In place of indexes: whatever the values have.
_VARIOUS: Final = b"various"


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as it came: `target` is the request target, still percent-encoded.

    `secure` is whether it came over TLS: credentials count there only. `headers` are looked up by
    the names that RFC 9110 writes, `source` is the peer's address, `certificate` the subject's
    name in the client certificate that TLS has checked.
    """

    method: str
    target: str
    content_type: str = ""
    body: bytes = b""
    secure: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    certificate: str | None = None

    @property
    def media_type(self) -> str:
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def has_credentials(self) -> bool:
        """Whether somebody says who they are, in a way that counts."""
        return self.secure and ("Authorization" in self.headers or self.certificate is not None)


@dataclass(frozen=True, slots=True)
class Lookup:
    """A resolution request. `open_choice` is whether it leaves open if only public values count:
    then they do for strangers, and all do for who has proved who they are."""

    query: Query
    style: Style
    open_choice: bool = False


@dataclass(frozen=True, slots=True)
class SiteRequest:
    """A request for the node's own site record."""

    style: Style


@dataclass(frozen=True, slots=True)
class PutRequest:
    """Values to store: as the whole of an identifier, or among its others if `indexed`.

    With `mint` the identifier is to begin with `asked` and to end as nobody's does.
    """

    asked: bytes
    values: tuple[Value, ...]
    indexed: bool
    overwrite: bool
    mint: bool
    style: Style


@dataclass(frozen=True, slots=True)
class DeleteRequest:
    """An identifier to delete, or values of it where indexes are given."""

    asked: bytes
    indexes: tuple[int, ...]
    style: Style


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list; the whole where a number is missing."""

    number: int | None
    size: int | None


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A list of the identifiers under a prefix, which is named by itself or by its record."""

    asked: bytes
    page: Page
    style: Style


@dataclass(frozen=True, slots=True)
class PrefixesRequest:
    """A list of the prefixes that the node homes."""

    page: Page
    style: Style


@dataclass(frozen=True, slots=True)
class HomingRequest:
    """A prefix, by its record, to be homed or to be homed no longer."""

    asked: bytes
    homed: bool
    style: Style


@dataclass(frozen=True, slots=True)
class VerificationRequest:
    """A proof of a secret key to be checked on behalf of another server."""

    proof: VerifyRequest
    style: Style


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """Anything under /api/sessions: `path` is what follows, `members` are parameters of a log-in
    beside those of the Authorization header."""

    method: str
    path: str
    members: Mapping[str, str]


Asked = (
    Lookup
    | SiteRequest
    | PutRequest
    | DeleteRequest
    | ListRequest
    | PrefixesRequest
    | HomingRequest
    | VerificationRequest
    | SessionRequest
)


@dataclass(frozen=True, slots=True)
class _Parts:
    """A request taken apart: `rest` is what the path has behind the endpoint, in octets."""

    request: Request
    rest: bytes
    params: Params
    style: Style
    rules: HandleRules


def decode(request: Request, rules: HandleRules = DEFAULT_RULES) -> Asked | Reply:
    """What a request asks for, or the reply that refuses it. Never raises."""
    path, _, query_text = request.target.partition("?")
    params = read_form(as_octets(query_text))
    style = _style(params)
    if request.method not in METHODS:
        message = f"Unknown method {as_text(as_octets(request.method))}"
        return refuse(outcomes.UNSUPPORTED, message, style, code=4)
    endpoint, _, rest = path.removeprefix(ROOT).partition("/")
    readers = _ENDPOINTS.get(endpoint) if path.startswith(ROOT) else None
    if readers is None or request.method not in readers:
        return _no_such(request, style, readers)
    parts = _Parts(request, unquote_to_bytes(as_octets(rest)), params, style, rules)
    try:
        return readers[request.method](parts)
    except Refusal as refusal:
        return encode_refusal(refusal, parts.rest, style)


def _no_such(request: Request, style: Style, readers: Mapping[str, object] | None) -> Reply:
    """What is said where nothing is; `readers` are the methods that there are, if any."""
    path = as_text(as_octets(request.target.partition("?")[0]))
    message = f"Unknown HTTP API endpoint {request.method} {path}"
    if readers is None:
        return refuse(outcomes.NOT_FOUND, message, style, code=4)
    reply = refuse(outcomes.METHOD_NOT_ALLOWED, message, style, code=4)
    reply.headers["Allow"] = ", ".join([*readers, "OPTIONS"])
    return reply


# --- /api/handles ---


def _get_handle(parts: _Parts) -> Asked:
    if not parts.rest and "prefix" in parts.params:
        return ListRequest(parts.params["prefix"][0], _page(parts), parts.style)
    return _lookup(parts, parts.params)


def _post_handle(parts: _Parts) -> Asked:
    """A POST asks as a GET does, with parameters in its body."""
    params = parts.params
    for name, values in _posted(parts.request).items():
        params.setdefault(name, []).extend(values)
    return _lookup(parts, params)


def _lookup(parts: _Parts, params: Params) -> Asked:
    asked = _named(parts)
    query = Query(
        asked=asked,
        key=parse(asked, parts.rules),
        indexes=tuple(map(read_index, params.get("index", ()))),
        types=tuple(params.get("type", ())),
        public_only=read_flag(params, "publicOnly", default=True),
        do_not_refer=read_flag(params, "doNotRefer", default=False),
        fresh=read_flag(params, "auth", default=False),
    )
    return Lookup(query, parts.style, "publicOnly" not in params)


def _put_handle(parts: _Parts) -> Asked:
    request, params = parts.request, parts.params
    if request.media_type != JSON_TYPE:
        raise DecodeError(f"Unsupported media type {request.media_type or '(none)'}")
    asked = _named(parts)
    values = read_values(request.body, asked, parts.rules)
    named = params.get("index", [])
    if named and named[0] != _VARIOUS:
        check_named_indexes(values, map(read_index, named))
    overwrite = read_flag(params, "overwrite", default=True)
    mint = read_flag(params, "mintNewSuffix", default=False)
    return PutRequest(asked, values, bool(named), overwrite, mint, parts.style)


def _delete_handle(parts: _Parts) -> Asked:
    indexes = tuple(map(read_index, parts.params.get("index", ())))
    return DeleteRequest(_named(parts), indexes, parts.style)


def _named(parts: _Parts) -> bytes:
    if not parts.rest:
        raise InvalidIdentifier("empty", "Empty handle invalid")
    return parts.rest


# --- the other endpoints ---


def _get_prefixes(parts: _Parts) -> Asked | Reply:
    if _prefix(parts):
        return _no_such(parts.request, parts.style, {"POST": None, "DELETE": None})
    return PrefixesRequest(_page(parts), parts.style)


def _homing(parts: _Parts) -> Asked:
    prefix = _prefix(parts)
    if not prefix:
        raise DecodeError("The prefix to home or to unhome is not named")
    return HomingRequest(prefix, parts.request.method == "POST", parts.style)


def _prefix(parts: _Parts) -> bytes:
    posted = read_json(parts.request.body) if _has_json(parts.request) else {}
    named = parts.params.get("prefix") or posted.get("prefix")
    return named[0] if named else parts.rest


def _get_site(parts: _Parts) -> Asked:
    return SiteRequest(parts.style)


def _get_verification(parts: _Parts) -> Asked:
    return VerificationRequest(read_verification(parts.rest, parts.params), parts.style)


def _session(parts: _Parts) -> Asked:
    params = parts.params
    if _has_json(parts.request):
        params = {**read_json(parts.request.body), **params}
    members = {name.lower(): as_text(values[0] or b"true") for name, values in params.items()}
    path = as_text(parts.rest).removesuffix("/")
    return SessionRequest(parts.request.method, path, members)


def _has_json(request: Request) -> bool:
    return bool(request.body) and request.media_type == JSON_TYPE


def _posted(request: Request) -> Params:
    if not request.body:
        return {}
    if request.media_type == FORM_TYPE:
        return read_form(request.body)
    if request.media_type == JSON_TYPE:
        return read_json(request.body)
    raise DecodeError(f"Unsupported media type {request.media_type or '(none)'}")


def _page(parts: _Parts) -> Page:
    number, size = read_count(parts.params, "page"), read_count(parts.params, "pageSize")
    return Page(None, None) if number is None or size is None else Page(number, size)


def _style(params: Params) -> Style:
    callback = params.get("callback", [b""])[0]
    scrubbed = _NOT_IN_CALLBACK.sub("_", as_text(callback))
    return Style(read_flag(params, "pretty", default=False), scrubbed or None)


_Readers = Mapping[str, Callable[[_Parts], "Asked | Reply"]]
_ENDPOINTS: Final[Mapping[str, _Readers]] = {
    "handles": {
        "GET": _get_handle,
        "HEAD": _get_handle,
        "POST": _post_handle,
        "PUT": _put_handle,
        "DELETE": _delete_handle,
    },
    "prefixes": {
        "GET": _get_prefixes,
        "HEAD": _get_prefixes,
        "POST": _homing,
        "DELETE": _homing,
    },
    "site": {"GET": _get_site, "HEAD": _get_site},
    "verifications": {"GET": _get_verification, "HEAD": _get_verification},
    "sessions": dict.fromkeys(("GET", "HEAD", "POST", "PUT", "DELETE"), _session),
}
