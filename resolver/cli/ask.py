"""Asking one server for an identifier: a table from URL scheme to protocol, one result for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from registry import outcomes
from registry.schemes import handle
from registry.schemes.dns_name import DEFAULT_ZONE, to_name
from registry.values.json_form import value_to_json
from registry.values.value import decode_record, type_matches
from resolver.cli.errors import NobodyAnswered
from resolver.query import Answer, Referral, Refused, Values

HANDLE_PORT, DNS_PORT = 2641, 53
#: rcode -> what it means for an identifier (records or none are told apart before).
_RCODES: Final = {
    outcomes.NXDOMAIN: outcomes.NOT_FOUND,
    outcomes.REFUSED: outcomes.NOT_RESPONSIBLE,
    outcomes.NOTIMP: outcomes.UNSUPPORTED,
    outcomes.FORMERR: outcomes.MALFORMED,
}
#: Handle response code -> a title to show; the first outcome of a code speaks for it.
TITLES: Final = {entry.handle: entry.title for entry in reversed(outcomes.OUTCOMES.values())}


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask: the identifier as written, the values wanted, seconds to wait."""

    identifier: str
    indexes: tuple[int, ...] = ()
    types: tuple[str, ...] = ()
    fresh: bool = False
    timeout: float = 10.0
    zone: str = DEFAULT_ZONE


@dataclass(frozen=True, slots=True)
class Resolution:
    """An answer in the members of the Handle JSON API, whatever protocol brought it."""

    code: int
    values: list[dict[str, Any]] = field(default_factory=list)
    message: str = ""
    responsible: str | None = None
    trace: list[dict[str, Any]] | None = None

    @property
    def positive(self) -> bool:
        return self.code == outcomes.OK.handle

    @property
    def reason(self) -> str:
        """Why there are no values, with the response code."""
        title = self.message or TITLES.get(self.code, "The request was refused")
        return f"{title} (response code {self.code})"


def ask(url: str, question: Question) -> Resolution:
    """Ask the server at `url`. Raises NobodyAnswered; ValueError for a URL that will not do."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError(f"{url!r} is not one of {', '.join(f'{s}://' for s in SCHEMES)}host:port")
    if not parts.hostname:
        raise ValueError(f"{url!r} names no host")
    if question.fresh and parts.scheme == "dns":
        raise ValueError("dns:// cannot say --fresh: use the node's http:// or hdl:// URL")
    _ = parts.port  # raises ValueError where it is no port
    return asyncio.run(SCHEMES[parts.scheme](parts, question))


async def trace(base: str, question: Question) -> Resolution:
    """Ask the recursive node whose HTTP URL is `base`, and whom it asked. Raises NobodyAnswered."""
    parameters = {"trace": "1"} | ({"fresh": "1"} if question.fresh else {})
    path = f"/v1/resolve/{quote(question.identifier, safe='')}?{urlencode(parameters)}"
    return selected(await _fetch(f"{base.rstrip('/')}{path}", question), question)


async def _ask_http(url: SplitResult, question: Question) -> Resolution:
    parameters = [("index", str(index)) for index in question.indexes]
    parameters += [("type", type_) for type_ in question.types]
    if question.fresh:
        parameters.append(("auth", "true"))
    path = f"/api/handles/{quote(question.identifier, safe='')}?{urlencode(parameters)}"
    return await _fetch(f"{url.scheme}://{url.netloc}{path}", question)


async def _fetch(url: str, question: Question) -> Resolution:
    from resolver.transports.http_client import NoReply, fetch

    try:
        reply = await fetch("GET", url, timeout=question.timeout)
    except NoReply as error:
        raise NobodyAnswered(f"nobody answered: {error}") from None
    found = reply.document()
    code = found.get("responseCode")
    if not isinstance(code, int):
        said = found.get("detail") or f"HTTP status {reply.status} without a responseCode"
        raise NobodyAnswered(f"{urlsplit(url).netloc} gave no resolution: {said}")
    return Resolution(
        code,
        found.get("values") or [],
        found.get("message") or "",
        found.get("responsible"),
        found.get("trace"),
    )


async def ask_handle(url: SplitResult, question: Question) -> Answer:
    """Ask over the Handle protocol, by UDP or TCP as the scheme says. Raises NobodyAnswered."""
    from resolver.client import Client, Endpoint
    from resolver.transports.outbound import ExchangeFailed

    where = Endpoint(url.hostname or "", url.port or HANDLE_PORT)
    try:
        async with asyncio.timeout(question.timeout):
            return await Client().resolve(
                question.identifier,
                where,
                types=[type_.encode() for type_ in question.types],
                indexes=question.indexes,
                fresh=question.fresh,
                protocol=url.scheme.partition("+")[2] or None,
            )
    except TimeoutError:
        reason = f"no reply within {question.timeout:g} s"
        raise NobodyAnswered(f"nobody answered: {url.scheme}://{where}: {reason}") from None
    except ExchangeFailed as error:
        raise NobodyAnswered(f"nobody answered: {url.scheme}://{where}: {error}") from None


async def _ask_handle(url: SplitResult, question: Question) -> Resolution:
    return resolution(await ask_handle(url, question))


def resolution(answer: Answer) -> Resolution:
    """An answer in the members of the Handle JSON API."""
    match answer:
        case Values(record=record):
            return Resolution(outcomes.OK.handle, list(map(value_to_json, decode_record(record))))
        case Referral(outcome=outcome, prefix=prefix):
            return Resolution(outcome.handle, message=f"{outcome.title}: {prefix}")
        case Refused(outcome=outcome, detail=detail, responsible=responsible):
            return Resolution(outcome.handle, [], detail, responsible)


async def _ask_dns(url: SplitResult, question: Question) -> Resolution:
    from resolver.codecs.dns_txt import read_txt
    from resolver.transports.dns_client import NoDnsReply, ask_txt

    name = to_name(handle.parse(question.identifier), question.zone)
    where = (url.hostname or "", url.port or DNS_PORT)
    try:
        reply = await ask_txt(*where, name, timeout=question.timeout)
    except NoDnsReply as error:
        raise NobodyAnswered(f"nobody answered: {error}") from None
    if reply.rcode != outcomes.NOERROR:
        outcome = _RCODES.get(reply.rcode, outcomes.INTERNAL)
        return Resolution(outcome.handle, message=reply.errors)
    values = sorted(map(read_txt, reply.records), key=lambda value: value.index)
    code = outcomes.OK if values else outcomes.VALUES_NOT_FOUND
    return selected(Resolution(code.handle, list(map(value_to_json, values))), question)


def selected(found: Resolution, question: Question) -> Resolution:
    """Only the values asked for, where the server hands out whole records."""
    if not found.positive or not (question.types or question.indexes):
        return found
    types = [type_.encode() for type_ in question.types]
    chosen = [
        value
        for value in found.values
        if value["index"] in question.indexes
        or any(type_matches(type_, value["type"].encode()) for type_ in types)
    ]
    code = found.code if chosen else outcomes.VALUES_NOT_FOUND.handle
    return replace(found, code=code, values=chosen)


#: How each scheme asks.
SCHEMES: Final[dict[str, Callable[[SplitResult, Question], Coroutine[Any, Any, Resolution]]]] = {
    "hdl": _ask_handle,
    "hdl+udp": _ask_handle,
    "hdl+tcp": _ask_handle,
    "http": _ask_http,
    "https": _ask_http,
    "dns": _ask_dns,
}
