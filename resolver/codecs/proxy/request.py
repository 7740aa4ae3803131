"""What a browser asks of the web proxy: `GET /{handle}?noredirect&type=URL…` taken apart.

Parameters are those of Handle.Net's proxy. `+` is a plus sign in them, as it is in identifiers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final
from urllib.parse import unquote_to_bytes

from registry.errors import InvalidIdentifier
from resolver.codecs.http_parameters import Params, as_octets, as_text, read_form, read_index

#: Ways to write an identifier that browsers and people have; matched without regard to case.
_LEADS: Final = re.compile(rb"(?:hdl|doi|urn:hdl|urn:doi):|info:(?:hdl|doi)/", re.IGNORECASE)
#: What web browsers ask for by `Accept`, so that no other representation is looked for.
_BROWSER: Final = re.compile(r".*\*|text/html|application/xhtml\+xml|(?:image|audio|video)/.*")
_LANGUAGES: Final = ("en", "zh")
DEFAULT_LANGUAGE: Final = "en"


class Action(Enum):
    """What is to be done with the values."""

    REDIRECT = "redirect"
    SHOW_VALUES = "showvalues"
    SHOW_URLS = "showurls"


_ACTIONS: Final = {action.value: action for action in Action}


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as it came.

    `target` is the request target, still percent-encoded; `origin` the node's own `http://host:port`
    as the client knows it ("" if it cannot be told); `form` the body of a posted form.
    """

    method: str
    target: str
    origin: str = ""
    accept: str = ""
    accept_language: str = ""
    user_agent: str = ""
    address: str = ""
    form: bytes = b""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for an identifier; with an empty `handle` for the start page.

    `wishes` are `name` or `name:value`, which locations of 10320/loc should have, first ones first;
    `append` is put behind the URL; `headers_only` answers 200 with the headers of a redirect.
    """

    handle: bytes
    action: Action
    language: str
    indexes: tuple[int, ...] = ()
    types: tuple[bytes, ...] = ()
    fresh: bool = False
    follow_aliases: bool = True
    append: str = ""
    wishes: tuple[str, ...] = ()
    country: str | None = None
    address: str = ""
    headers_only: bool = False
    origin: str = ""
    query: str = ""
    posted: bool = False
    wants_json: bool = False


def read_request(request: Request) -> Ask:
    """The request taken apart. Raises DecodeError, InvalidIdentifier."""
    path, _, query = request.target.partition("?")
    params = _params(as_octets(query))
    if request.method == "POST":
        for name, values in read_form(request.form).items():
            params.setdefault(name, []).extend(values)
    typed = params.get("hdl", [b""])[0] if path.strip("/") == "" else b""
    handle = _identifier(typed or unquote_to_bytes(as_octets(path)))
    return Ask(
        handle=handle,
        action=_action(params, looked_up=bool(typed) and request.method != "POST"),
        language=_language(params, request.accept_language),
        indexes=tuple(map(read_index, params.get("index", ()))),
        types=tuple(params.get("type", ())),
        fresh="auth" in params,
        follow_aliases="ignore_aliases" not in params,
        append=as_text(params.get("urlappend", [b""])[0]),
        wishes=(*map(as_text, params.get("locatt", ())), *_negotiated(request)),
        country=as_text(params["country"][0]) if "country" in params else None,
        address=request.address,
        headers_only="redirectionHeaders" in params,
        origin=request.origin,
        query=query,
        posted=request.method == "POST",
        wants_json="json" in request.accept and "html" not in request.accept,
    )


def fallback_language(request: Request) -> str:
    """The language to refuse a request in that cannot be taken apart."""
    return _language({}, request.accept_language)


def preferences(header: str) -> list[tuple[str, float]]:
    """The entries of an `Accept` or `Accept-Language` header with their weights, best first."""
    found = []
    for entry in header.split(",")[:32]:
        value, *parameters = (part.strip().lower() for part in entry.split(";"))
        if value:
            found.append((value, _quality(parameters)))
    return sorted(found, key=lambda entry: -entry[1])


def _params(query: bytes) -> Params:
    return read_form(query.replace(b"+", b"%2B"))


def _identifier(text: bytes) -> bytes:
    """The identifier in what was typed or linked, without what is put in front of one."""
    text = text.strip().lstrip(b"/")
    lead = _LEADS.match(text)
    handle = text[lead.end() :] if lead else text
    if lead and not handle:
        raise InvalidIdentifier("empty", "there is no identifier")
    return handle


def _action(params: Params, *, looked_up: bool) -> Action:
    """What to do; who looks an identifier up in the form wants to see it."""
    named = as_text(params.get("action", [b""])[0]).lower()
    if named in _ACTIONS:
        return _ACTIONS[named]
    return Action.SHOW_VALUES if looked_up or "noredirect" in params else Action.REDIRECT


def _language(params: Params, accept_language: str) -> str:
    asked = [as_text(value).lower() for value in params.get("lang", ())]
    for language in (*asked, *(value for value, _ in preferences(accept_language))):
        if language[:2] in _LANGUAGES:
            return language[:2]
    return DEFAULT_LANGUAGE


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        if re.fullmatch(r"q=[01](\.[0-9]{0,3})?", parameter):
            return float(parameter[2:])
    return 1.0


def _negotiated(request: Request) -> list[str]:
    """The wishes that the request headers express, as Handle.Net's proxy derives them."""
    accepted = preferences(request.accept)
    agent = request.user_agent.strip().lower()
    wishes = [f"language:{value}" for value, _ in preferences(request.accept_language)]
    if all(value == "*/*" for value, _ in accepted):
        if not agent.startswith(("mozilla/", "opera/")):
            return ["http_role:no_conneg", *wishes]
        return ["http_role:browser", "ctype:text/html", "media-type:text/html", *wishes]
    best = accepted[0][1]
    if any(weight == best and _BROWSER.fullmatch(value) for value, weight in accepted):
        return ["http_role:browser", *wishes]
    media = [value for value, _ in accepted if "*" not in value]
    roles = [f"{name}:{value}" for value in media for name in ("ctype", "media-type")]
    return [*roles, "http_role:conneg", *wishes]
