"""The pages of a node: its start page, the values of an identifier, and why there are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from registry.values.value import Value
from resolver.codecs.proxy.html import Child, Markup, element, escape, join, style
from resolver.codecs.proxy.style import CSS
from resolver.codecs.proxy.targets import own_path
from resolver.codecs.proxy.texts import TEXTS, Speaker
from resolver.codecs.proxy.values import handle_link, values_table

_LANGUAGES = ("en", "zh")
_HTML_LANGUAGES = {"en": "en", "zh": "zh-CN"}


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What a node says of itself. `titles` is by language, `endpoints` (what, address) pairs.

    `examples` names a few identifiers that are registered here.
    """

    role: str
    prefix: str | None
    titles: dict[str, str]
    endpoints: tuple[tuple[str, str], ...] = ()
    examples: Callable[[], Sequence[str]] = tuple


@dataclass(frozen=True, slots=True)
class Notice:
    """Why there are no values: `name` is that of a text.

    `details` are said below it; `responsible` is the node that would know, `contact` who to ask.
    `elsewhere` is the address of the same identifier on the node that knows.
    """

    name: str
    details: tuple[str, ...] = ()
    responsible: str | None = None
    contact: str | None = None
    elsewhere: str | None = None


@dataclass(frozen=True, slots=True)
class PageContext:
    """What all pages of one reply share. `asked` is the identifier as it was typed."""

    node: NodeFacts
    say: Speaker
    asked: str = ""


def start_page(context: PageContext) -> bytes:
    """What this node is, how it is reached, and a form to look identifiers up."""
    node, say = context.node, context.say
    kind = "recursive" if node.role == "recursive" else "homed"
    rows = [
        join(element("dt", what), element("dd", element("code", address)))
        for what, address in node.endpoints
    ]
    examples = [element("li", handle_link(each, say.language)) for each in node.examples()]
    return _page(
        context,
        node.titles[say.language],
        element("p", say(f"about.{kind}"), class_="soft"),
        element("h2", say("examples")) if examples else None,
        element("ul", *examples, class_="list name") if examples else None,
        element("h2", say("endpoints")),
        element("dl", *rows),
    )


def values_page(
    context: PageContext, handle: str, values: Sequence[Value], url: str | None, note: str | None
) -> bytes:
    """The values of an identifier; `url` is where it redirects to, `note` the name of a remark."""
    say = context.say
    path = own_path(handle)
    button = element("a", say("open"), class_="button", href=url, rel="noopener noreferrer")
    return _page(
        context,
        handle,
        element("p", say(note), class_="note") if note else None,
        values_table(values, say),
        element(
            "p",
            button if url else None,
            element("a", say("json"), href=f"/api/handles{path}?pretty"),
            element("a", say("trace"), href=f"/v1/resolve{path}?trace=1"),
            class_="actions",
        ),
    )


def notice_page(context: PageContext, notice: Notice) -> bytes:
    """Why there is nothing to show for an identifier."""
    say = context.say
    more = say.get(f"{notice.name}.more")
    details = list(notice.details)
    details += [say("responsible", notice.responsible)] if notice.responsible else []
    details += [say("contact", notice.contact)] if notice.contact else []
    there = notice.elsewhere
    return _page(
        context,
        say(notice.name),
        element("p", element("bdi", context.asked), class_="name") if context.asked else None,
        element("p", more) if more else None,
        *(element("p", detail, class_="soft") for detail in details),
        element("p", element("a", say("ask-there"), href=there)) if there else None,
    )


def redirect_page(url: str) -> bytes:
    """What is shown of a redirect where it is not followed by itself."""
    shown = escape(url)
    return (
        f"<html><head><title>Handle Redirect</title></head>\n"
        f'<body><a href="{shown}">{shown}</a></body></html>'
    ).encode()


def _page(context: PageContext, heading: str, *body: Child) -> bytes:
    node, say = context.node, context.say
    title = node.titles[say.language]
    page = element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("title", heading if heading == title else f"{heading} · {title}"),
            style(CSS),
        ),
        element(
            "body",
            _header(context),
            element(
                "main", _form(context), element("h1", element("bdi", heading)), *body, class_="in"
            ),
        ),
        lang=_HTML_LANGUAGES[say.language],
    )
    return f"<!doctype html>{page}\n".encode()


def _header(context: PageContext) -> Markup:
    node, say = context.node, context.say
    role = [say(f"role.{node.role}"), *([f"{say('prefix')} {node.prefix}"] if node.prefix else [])]
    return element(
        "header",
        element(
            "div",
            element("a", node.titles[say.language], class_="node", href=f"/?lang={say.language}"),
            element("span", " · ".join(role), class_="role"),
            element("span", *_languages(context), class_="lang"),
            class_="in",
        ),
    )


def _languages(context: PageContext) -> list[Markup]:
    """Links to the same page in the other languages."""
    path = own_path(context.asked) if context.asked else "/"
    return [
        element(
            "a",
            getattr(TEXTS["language"], language),
            href=f"{path}?noredirect&lang={language}",
            lang=_HTML_LANGUAGES[language],
            hreflang=_HTML_LANGUAGES[language],
        )
        for language in _LANGUAGES
        if language != context.say.language
    ]


def _form(context: PageContext) -> Markup:
    say = context.say
    return element(
        "form",
        element(
            "input",
            name="hdl",
            type="search",
            value=context.asked,
            required=True,
            maxlength="2048",
            autocomplete="off",
            spellcheck="false",
            placeholder=say("placeholder"),
            aria_label=say("identifier"),
        ),
        element("input", name="lang", type="hidden", value=say.language),
        element("button", say("look-up")),
        action="/",
        method="get",
        role="search",
    )
