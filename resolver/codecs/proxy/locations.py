"""10320/loc: several places of one thing, and which of them a browser is sent to.

`<locations chooseby="locatt,country,weighted"><location href="…" country="cn" weight="1"/>…`.
Each method narrows the choice; one that fits no location leaves it as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final, NamedTuple
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from registry.errors import DecodeError
from registry.namespaces.markup import read_markup
from registry.values.value import Value, type_matches

LOCATION_TYPE: Final = b"10320/loc."
URL_TYPES: Final = (b"URL", b"0.TYPE/URL")
DEFAULT_METHODS: Final = ("locatt", "address", "country", "score", "weighted")
#: Status codes that a location may ask for by `http_sc`.
REDIRECTS: Final = {"301": 301, "302": 302, "303": 303, "307": 307, "308": 308}
DEFAULT_REDIRECT: Final = 302


class Location(NamedTuple):
    """One place, with the attributes of its element; `source` is the value it comes from."""

    attributes: dict[str, str]
    source: Value

    def href(self, handle: str) -> str | None:
        """The URL; a template has the identifier put into it."""
        href = self.attributes.get("href")
        if href is not None:
            return href
        template = self.attributes.get("href_template")
        if template is None:
            return None
        return template.replace("{hdl}", quote(handle, "")).replace("{hdl:path}", quote(handle))

    @property
    def weight(self) -> float:
        return max(0.0, _number(self.attributes.get("weight"), 1.0))

    @property
    def status(self) -> int:
        return REDIRECTS.get(self.attributes.get("http_sc", ""), DEFAULT_REDIRECT)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a client has to say in a choice; `attributes` are `name` or `name:value`."""

    attributes: Sequence[str] = ()
    country: str | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class Locations:
    """All places of an identifier, and the methods to choose by."""

    locations: tuple[Location, ...]
    methods: tuple[str, ...] = DEFAULT_METHODS

    def choose(self, wishes: Wishes, chance: Callable[[], float]) -> Location | None:
        """The place to go to, None if there is none. `chance` gives numbers from 0 up to 1."""
        left: Sequence[Location] = self.locations
        for method in self.methods:
            if method == "weighted":
                break
            narrow = _METHODS.get(method)
            if narrow is not None:
                left = narrow(left, wishes) or left
        return _weighted(left, chance()) if left else None

    def to_xml(self, handle: str) -> bytes:
        """All places as `action=showurls` shows them."""
        lines = [
            f"<location {' '.join(f'{name}={quoteattr(text)}' for name, text in shown)}/>\n"
            for shown in (_shown(location, handle) for location in self.locations)
        ]
        return f"<locations>\n{''.join(lines)}</locations>\n".encode()


def locations_of(values: Sequence[Value]) -> Locations:
    """The places in the values of an identifier: those of 10320/loc, and URLs.

    Beside a 10320/loc, URLs are chosen only if it leaves nothing else; alone, the first one is.
    Values of 10320/loc that cannot be read are left out.
    """
    listed: list[Location] = []
    methods = None
    with_locations = False
    for value in values:
        if type_matches(LOCATION_TYPE, value.type):
            try:
                root = read_markup(value.data)
            except DecodeError:
                continue
            with_locations = True
            listed += (Location(dict(each.attrib), value) for each in root.iter("location"))
            methods = methods or root.get("choose_by") or root.get("chooseby")
    listed += _urls(values, first_weight="0.0" if with_locations else "1.0")
    if methods is None:
        return Locations(tuple(listed))
    return Locations(tuple(listed), tuple(each.strip().lower() for each in methods.split(",")))


def _urls(values: Sequence[Value], first_weight: str) -> Iterable[Location]:
    """URL values; subtypes (`URL.x`) only if there is no plain one."""
    plain = [value for value in values if value.type.upper() in URL_TYPES]
    chosen = plain or [value for value in values if type_matches(b"URL.", value.type)]
    for position, value in enumerate(chosen):
        weight = "0.0" if position else first_weight
        href = value.data.decode("utf-8", "replace")
        yield Location({"mode": "legacy", "weight": weight, "href": href}, value)


def _by_wish(locations: Sequence[Location], wishes: Wishes) -> Sequence[Location]:
    left = locations
    for wish in wishes.attributes:
        name, colon, text = wish.partition(":")
        left = [
            location
            for location in left
            if (given := location.attributes.get(name.strip())) is not None
            and (not colon or given == text)
        ] or left
    return left


def _by_address(locations: Sequence[Location], wishes: Wishes) -> Sequence[Location]:
    return [
        location
        for location in locations
        if any(
            _within(wishes.address, each)
            for each in location.attributes.get("addresses", "").split(",")
        )
    ]


def _by_country(locations: Sequence[Location], wishes: Wishes) -> Sequence[Location]:
    country = (wishes.country or "").strip().lower()
    return [
        location
        for location in locations
        if country and location.attributes.get("country", "").strip().lower() == country
    ]


def _by_score(locations: Sequence[Location], _wishes: Wishes) -> Sequence[Location]:
    scores = [_number(location.attributes.get("score"), 0.0) for location in locations]
    best = max(scores, default=0.0)
    return [each for each, score in zip(locations, scores, strict=True) if score == best]


_METHODS: Final[dict[str, Callable[[Sequence[Location], Wishes], Sequence[Location]]]] = {
    "locatt": _by_wish,
    "address": _by_address,
    "country": _by_country,
    "score": _by_score,
}


def _weighted(locations: Sequence[Location], chance: float) -> Location:
    """One by chance, in proportion to the weights; weight 0 only if all have it."""
    left = [location for location in locations if location.weight > 0]
    if not left:
        return locations[int(chance * len(locations))]
    mark = chance * sum(location.weight for location in left)
    for location in left:
        mark -= location.weight
        if mark < 0:
            return location
    return left[-1]


def _shown(location: Location, handle: str) -> list[tuple[str, str]]:
    href = location.href(handle)
    shown = [(name, text) for name, text in location.attributes.items() if ":" not in name]
    return shown if href is None or "href" in location.attributes else [*shown, ("href", href)]


def _number(text: str | None, default: float) -> float:
    try:
        number = default if text is None else float(text)
    except ValueError:
        return default
    return min(number, 1e9) if math.isfinite(number) else 0.0


def _within(address: str, block: str) -> bool:
    try:
        return ip_address(address) in ip_network(block.strip(), strict=False)
    except ValueError:
        return False
