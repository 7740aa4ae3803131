"""The values of an identifier as the rows of a table, each type shown as what it is."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from registry.values.json_form import value_to_json
from registry.values.value import Value
from resolver.codecs.proxy.html import Child, Markup, element, join
from resolver.codecs.proxy.locations import URL_TYPES
from resolver.codecs.proxy.targets import own_path, safe_url
from resolver.codecs.proxy.texts import Speaker

#: Most octets of binary data, and characters of text, that a page shows of one value.
MAX_OCTETS: Final = 96
MAX_CHARACTERS: Final = 8_000
_EMAIL: Final = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,190}")
#: What other identifiers of the hierarchy look like in the data of a record.
_HANDLE: Final = re.compile(r"(?:0\.NA|[0-9]{2,}(?:\.[0-9]+)+)/[^\s/][^\s]{0,200}")
_COLUMNS: Final = ("index", "type", "data", "properties")
#: Links to elsewhere tell nobody where they were found and give no credit.
_REL: Final = "noopener noreferrer nofollow"
_BYTES_OF: Final = {"RSA": "n", "DSA": "p", "DH": "p"}


def values_table(values: Sequence[Value], say: Speaker) -> Markup:
    """The table of all values, in the order in which the node gave them."""
    head = element("tr", *(element("th", say(name), scope="col") for name in _COLUMNS))
    rows = [_row(value, say) for value in values]
    return element("table", element("thead", head), element("tbody", *rows))


def handle_link(handle: str, language: str, shown: str | None = None) -> Markup:
    """A link to the page of an identifier on this node."""
    path = own_path(handle, f"noredirect&lang={language}")
    return element("a", element("bdi", shown or handle), href=path)


def outside_link(text: str) -> Markup | None:
    """A link to a URL that may be followed."""
    url = safe_url(text)
    return None if url is None else element("a", element("bdi", text), href=url, rel=_REL)


def _row(value: Value, say: Speaker) -> Markup:
    form: Mapping[str, Any] = value_to_json(value)
    data = form["data"]
    return element(
        "tr",
        element("td", str(value.index)),
        element("td", element("bdi", form["type"]), class_="type"),
        element("td", _DATA[data["format"]](data["value"], value, say), class_="data"),
        element("td", *(element("div", said) for said in _properties(form, say)), class_="more"),
    )


def _properties(form: Mapping[str, Any], say: Speaker) -> list[str]:
    """What else there is to know, as far as it is out of the ordinary."""
    absolute = isinstance(form["ttl"], str)
    said = [say("until", _time(form["ttl"])) if absolute else say("ttl", form["ttl"])]
    modified = form.get("timestamp")
    said.append(say("modified", _time(modified)) if modified else say("undated"))
    if "permissions" in form:
        said.append(say("permissions", form["permissions"]))
    if "references" in form:
        named = ", ".join(f"{each['index']}:{each['handle']}" for each in form["references"])
        said.append(say("references", named))
    return said


def _time(iso: str) -> str:
    """A time as people read it, still in UTC."""
    return iso.replace("T", " ").replace("Z", " UTC")


# --- data by the format that the JSON form gives it ---


def _text(text: str, value: Value, say: Speaker) -> Child:
    shown = text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}…"
    kind = value.type.upper()
    if kind.startswith(b"HS_ALIAS") or _HANDLE.fullmatch(text):
        return handle_link(text, say.language)
    if kind in URL_TYPES or kind.startswith(b"URL."):
        return outside_link(text) or shown
    if kind == b"EMAIL" and _EMAIL.fullmatch(text):
        return element("a", text, href=f"mailto:{text}")
    return shown


def _octets(text: str, _value: Value, say: Speaker) -> Child:
    octets = base64.b64decode(text)
    more = "…" if len(octets) > MAX_OCTETS else ""
    shown = f"{octets[:MAX_OCTETS].hex(' ')}{more}"
    return join(element("div", say("octets", len(octets)), class_="soft"), element("code", shown))


def _admin(admin: Mapping[str, Any], _value: Value, say: Speaker) -> Child:
    return join(
        _reference(admin, say),
        element("div", say("rights", admin["permissions"]), class_="soft"),
    )


def _vlist(references: Sequence[Mapping[str, Any]], _value: Value, say: Speaker) -> Child:
    return element("ul", *(element("li", _reference(each, say)) for each in references))


def _reference(reference: Mapping[str, Any], say: Speaker) -> Markup:
    handle = reference["handle"]
    return handle_link(handle, say.language, f"{reference['index']}:{handle}")


def _site(site: Mapping[str, Any], _value: Value, say: Speaker) -> Child:
    kind = say("primary" if site["primarySite"] else "mirror")
    head = element("div", say("site", site["serialNumber"], kind), class_="soft")
    lines = [
        element("li", f"{server['address']} {each['protocol']} {each['port']} {_uses(each, say)}")
        for server in site["servers"]
        for each in server["interfaces"]
    ]
    attributes = [
        element("div", f"{each['name']}: {each['value']}", class_="soft")
        for each in site.get("attributes", ())
    ]
    return join(head, element("ul", *lines), *attributes)


def _uses(interface: Mapping[str, Any], say: Speaker) -> str:
    return " + ".join(say(use) for use in ("query", "admin") if interface[use])


def _key(key: Mapping[str, Any], _value: Value, say: Speaker) -> Child:
    number = str(key.get(_BYTES_OF.get(key["kty"], ""), ""))
    bits = len(number) * 3 // 4 * 8
    shown = f"{number[:32]}…" if len(number) > 32 else number
    return join(element("div", say("key", key["kty"], bits)), element("code", shown))


_DATA: Final[Mapping[str, Callable[[Any, Value, Speaker], Child]]] = {
    "string": _text,
    "base64": _octets,
    "admin": _admin,
    "vlist": _vlist,
    "site": _site,
    "key": _key,
}
