"""HTML that cannot be broken out of: every text is escaped unless `element` made it."""

from __future__ import annotations

import html
import re
from typing import Final

#: Control characters have no place in HTML; and no text may turn the direction of what follows it.
_UNSHOWN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_VOID: Final = frozenset({"br", "input", "link", "meta"})


class Markup(str):
    """Text that is HTML already; only this module makes it."""

    __slots__ = ()


Child = str | Markup | None
#: A text, a bare attribute (True), or none at all.
Attribute = str | bool | None


def escape(text: str) -> Markup:
    """The text as HTML shows it, wherever it stands."""
    return text if isinstance(text, Markup) else Markup(html.escape(_UNSHOWN.sub("\ufffd", text)))


def element(tag: str, *children: Child, **attributes: Attribute) -> Markup:
    """An element. Of a Python name for an attribute, a final "_" goes and others become "-"."""
    written = "".join(
        _attribute(name.rstrip("_").replace("_", "-"), given) for name, given in attributes.items()
    )
    if tag in _VOID:
        return Markup(f"<{tag}{written}>")
    return Markup(f"<{tag}{written}>{join(*children)}</{tag}>")


def join(*children: Child) -> Markup:
    """Elements and texts behind each other."""
    return Markup("".join(escape(child) for child in children if child is not None))


def style(css: str) -> Markup:
    """A style sheet of our own in the page; its text is not escaped."""
    return Markup(f"<style>{css}</style>")


def _attribute(name: str, given: Attribute) -> str:
    if given is None or given is False:
        return ""
    return f" {name}" if given is True else f' {name}="{escape(given)}"'
