"""Replies of the web proxy: redirects, pages, and problem documents for those who want JSON."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import formatdate
from typing import Final

from registry import outcomes
from registry.http.problem import RETRY_AFTER, problem
from registry.outcomes import Outcome
from registry.values.value import TTL_ABSOLUTE, Value
from resolver.codecs.proxy.pages import Notice, PageContext, notice_page, redirect_page
from resolver.codecs.proxy.request import Ask
from resolver.codecs.proxy.style import POLICY
from resolver.codecs.proxy.targets import own_path
from resolver.codecs.proxy.texts import TEXTS

#: Where Handle.Net's proxy has another status than ours.
_STATUS: Final = {outcomes.VALUES_NOT_FOUND: 200, outcomes.NOT_RESPONSIBLE: 400}
_YEAR: Final = 31_536_000
#: Status, headers, body.
HttpReply = tuple[int, dict[str, str], bytes]
_HTML: Final = {
    "Content-Type": "text/html;charset=utf-8",
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_XML: Final = {"Content-Type": "text/xml;charset=utf-8", "X-Content-Type-Options": "nosniff"}
ROBOTS: Final[HttpReply] = (
    200,
    {"Content-Type": "text/plain;charset=utf-8"},
    b"User-agent: *\nDisallow: /\n",
)


def shown(page: bytes, status: int = 200) -> HttpReply:
    """A page."""
    return status, {**_HTML, "Vary": "Accept, Accept-Language"}, page


def listed(document: bytes) -> HttpReply:
    """An XML document."""
    return 200, dict(_XML), document


def redirected(ask: Ask, url: str, status: int, until: float) -> HttpReply:
    """A redirect to a URL that is safe in a header, good until a Unix time."""
    headers = {**_HTML, "Location": url, "Expires": formatdate(until, usegmt=True)}
    return 200 if ask.headers_only else status, headers, redirect_page(url)


def moved(ask: Ask, handle: str, until: float) -> HttpReply:
    """The permanent redirect from an alias to the proxy's own URL of what it stands for."""
    headers = {
        "Location": f"{ask.origin}{own_path(handle, ask.query)}",
        "Expires": formatdate(until, usegmt=True),
    }
    return 301, headers, b""


def refused(
    context: PageContext, outcome: Outcome, notice: Notice, *, wants_json: bool = False
) -> HttpReply:
    """Why there are no values."""
    status = _STATUS.get(outcome, outcome.http)
    if wants_json:
        _, headers, body = problem(outcome, " ".join(notice.details))
        return status, headers, body
    reply = shown(notice_page(context, notice), status)
    if outcome.retryable:
        reply[1]["Retry-After"] = str(RETRY_AFTER)
    return reply


def notice_name(outcome: Outcome) -> str:
    """The name of the text that says how a request ended."""
    return outcome.slug if outcome.slug in TEXTS else "failed"


def expiry(values: Sequence[Value], now: float, at_most: float | None) -> float:
    """The Unix time until which all these values may be kept; `at_most` seconds from now."""
    until = [
        max(value.ttl, now) if value.ttl_type == TTL_ABSOLUTE else now + value.ttl
        for value in values
    ]
    # No server may promise more than a year (RFC 2616 section 14.21).
    return min(*until, now + _YEAR, now + (_YEAR if at_most is None else at_most))
