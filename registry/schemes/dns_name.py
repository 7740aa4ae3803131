"""Identifiers as DNS names and back, reversible and delegating along prefixes (docs/dns.md).

`A.B.C/suffix` is `<suffix>.h.C.B.A.<zone>`; the prefix record `0.NA/A.B.C` is `C.p.B.A.<zone>`,
which lies in the zone of the parent. One label holds a plain suffix, a dot in it written `--`.
A suffix that is not plain is base32hex (RFC 4648 section 7) behind `x--`; what one label cannot
hold stands in `y--` labels to the right of it. So no identifier's name is ever below another's,
and NXDOMAIN for one never denies a name that exists (RFC 8020).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

from registry.errors import InvalidIdentifier
from registry.schemes.handle import DEFAULT_RULES, PREFIX_RECORDS, HandleRules, Key, parse

DEFAULT_ZONE: Final = "id.test"
MAX_NAME: Final = 253
MAX_LABEL: Final = 63

_LAST, _MORE, _EMPTY = "x--", "y--", "x--0"
_DIGITS: Final = MAX_LABEL - len(_LAST)  # base32 digits that one escape label holds
#: A suffix that can be read in its label. The label must not look like an escape, nor like the
#: names that IDNA reserves with "--" as third and fourth character (RFC 5891 section 4.2.3.1).
_PLAIN_SUFFIX: Final = re.compile(r"(?![XY]\.|..\.)[A-Z0-9]+(?:[-.][A-Z0-9]+)*")
_PLAIN_SUFFIX_LABEL: Final = re.compile(rb"(?![xy]--|..--)[a-z0-9]+(?:--?[a-z0-9]+)*")
_PLAIN_SEGMENT: Final = re.compile(r"[A-Z0-9]+(?:-[A-Z0-9]+)*")
_PLAIN_SEGMENT_LABEL: Final = re.compile(rb"[a-z0-9]+(?:-[a-z0-9]+)*")
_MIDDLE_LABEL: Final = re.compile(rb"y--[0-9a-v]{%d}" % _DIGITS)
_ZONE_LABEL: Final = re.compile(rb"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?")


class PlaceKind(Enum):
    """What a name at or below the zone stands for when it is no identifier's."""

    APEX = "apex"  # a prefix, or the zone itself: 901.88.id.test
    BETWEEN = "between"  # an empty non-terminal: h.901.88.id.test
    SERVER = "server"  # the name server of a prefix: ns.901.88.id.test
    SERVICE = "service"  # the port it listens on: _dns._udp.ns.901.88.id.test
    UNKNOWN = "unknown"  # a name that this mapping never makes


class Place(NamedTuple):
    """A name that is no identifier's. `prefix` is the longest prefix in it, "" the zone itself."""

    kind: PlaceKind
    prefix: str


#: Labels that no segment of a prefix may be written as.
_RESERVED: Final = frozenset((b"h", b"p", b"ns"))
_PLACES: Final[dict[tuple[bytes, ...], PlaceKind]] = {
    (): PlaceKind.APEX,
    (b"h",): PlaceKind.BETWEEN,
    (b"p",): PlaceKind.BETWEEN,
    (b"ns",): PlaceKind.SERVER,
    (b"_udp", b"ns"): PlaceKind.BETWEEN,
    (b"_tcp", b"ns"): PlaceKind.BETWEEN,
    (b"_dns", b"_udp", b"ns"): PlaceKind.SERVICE,
    (b"_dns", b"_tcp", b"ns"): PlaceKind.SERVICE,
}


def zone_labels(zone: str) -> tuple[bytes, ...]:
    """The labels of a zone's name, lower-case. Raises InvalidIdentifier (rule `dns-zone`)."""
    labels = tuple(zone.lower().removesuffix(".").encode().split(b"."))
    if len(zone) > MAX_NAME or not all(map(_ZONE_LABEL.fullmatch, labels)):
        raise InvalidIdentifier("dns-zone", f"{zone!r} cannot name a zone")
    return labels


def to_name(key: Key, zone: str = DEFAULT_ZONE) -> str:
    """The absolute DNS name of an identifier, lower-case, without the final dot.

    Raises InvalidIdentifier with the rule `dns-length` where a label or the name gets too long.
    """
    if _under_p(key):
        above, _, last = key.suffix.rpartition(".")
        labels = [_segment_label(last), "p"]
    else:
        above = key.prefix
        labels = [*_suffix_labels(key.suffix), "h"]
    name = ".".join((*labels, prefix_name(above, zone)))
    if len(name) > MAX_NAME:
        raise InvalidIdentifier(
            "dns-length", f"the DNS name has {len(name)} characters, at most {MAX_NAME} fit"
        )
    return name


def prefix_name(prefix: str, zone: str = DEFAULT_ZONE) -> str:
    """The name of a prefix: `88.901` is `901.88.<zone>`, "" the zone itself.

    Raises InvalidIdentifier (rule `dns-length`) where a segment does not fit into a label.
    """
    segments = reversed(prefix.split(".")) if prefix else ()
    return ".".join((*map(_segment_label, segments), zone.lower().removesuffix(".")))


def zone_prefix(key: Key) -> str:
    """The prefix that the name of an identifier lies under ("": directly under the zone)."""
    return key.suffix.rpartition(".")[0] if _under_p(key) else key.prefix


def from_labels(
    labels: tuple[bytes, ...], zone: tuple[bytes, ...], rules: HandleRules = DEFAULT_RULES
) -> Key | Place | None:
    """What a name stands for, given as lower-cased labels; None outside the zone.

    A name gives a key exactly if `to_name` makes that name of that key.
    """
    prefix = prefix_above(labels[1:], zone)
    if prefix is not None and (suffix := plain_suffix(labels[0])) is not None:
        return Key(prefix, suffix)
    return _from_labels(labels, zone, rules)


@lru_cache(1024)
def prefix_above(labels: tuple[bytes, ...], zone: tuple[bytes, ...]) -> str | None:
    """The prefix that all plain suffixes belong to whose label stands before these; or None.

    With such a suffix, and only then, `from_labels` gives the key of both.
    """
    place = _from_labels(labels, zone, DEFAULT_RULES)
    if not isinstance(place, Place) or place.kind is not PlaceKind.BETWEEN or labels[0] != b"h":
        return None
    return place.prefix if place.prefix != PREFIX_RECORDS else None


def _from_labels(
    labels: tuple[bytes, ...], zone: tuple[bytes, ...], rules: HandleRules
) -> Key | Place | None:
    end = len(labels) - len(zone)
    if end < 0 or labels[end:] != zone:
        return None
    segments: list[str] = []
    while end and (segment := _segment(labels[end - 1])) is not None:
        segments.append(segment)
        end -= 1
    prefix = ".".join(segments)
    if segments == [""]:
        return Place(PlaceKind.UNKNOWN, "")
    rest = labels[:end]
    if (kind := _PLACES.get(rest)) is not None:
        in_vain = rest == (b"h",) and not prefix
        return Place(PlaceKind.UNKNOWN if in_vain else kind, prefix)
    if rest[-1] == b"h" and prefix:
        return _under_h(rest[:-1], prefix, rules)
    if rest[-1] == b"p" and len(rest) == 2 and (last := _segment(rest[0])) is not None:
        key = Key(PREFIX_RECORDS, ".".join((*segments, last)))
        return key if _under_p(key) else Place(PlaceKind.UNKNOWN, prefix)
    return Place(PlaceKind.UNKNOWN, prefix)


def describe(text: str, zone: str = DEFAULT_ZONE) -> dict[str, str]:
    """A DNS name taken apart: the identifier it stands for. Raises InvalidIdentifier."""
    name = text.removesuffix(".").lower()
    if not name.isascii() or len(name) > MAX_NAME:
        raise InvalidIdentifier(
            "dns-name", f"not a DNS name of at most {MAX_NAME} ASCII characters"
        )
    found = from_labels(tuple(name.encode().split(b".")), zone_labels(zone))
    if not isinstance(found, Key):
        raise InvalidIdentifier("dns-name", f"no identifier has this name under {zone}")
    return {"canonical": str(found), "dns_name": name}


def _under_p(key: Key) -> bool:
    """Whether the key is the record of a prefix; `0.NA/` and `0.NA/A/B` are not.

    Nor is `0.NA/.A`: above it would be the prefix without any segment, which is the zone itself.
    """
    above, dot, last = key.suffix.rpartition(".")
    named = above if dot else last
    return key.is_prefix_record and named != "" and "/" not in key.suffix


def _under_h(labels: tuple[bytes, ...], prefix: str, rules: HandleRules) -> Key | Place:
    """What the labels before `h` stand for."""
    if all(map(_MIDDLE_LABEL.fullmatch, labels)):
        return Place(PlaceKind.BETWEEN, prefix)
    suffix = _suffix(labels, prefix, rules)
    if suffix is None or _under_p(key := Key(prefix, suffix)):
        return Place(PlaceKind.UNKNOWN, prefix)
    return key


def _segment_label(segment: str) -> str:
    label = segment.lower()
    if not _PLAIN_SEGMENT.fullmatch(segment) or label.encode() in _RESERVED:
        label = _LAST + _base32(segment) if segment else _EMPTY
    if len(label) > MAX_LABEL:
        raise InvalidIdentifier("dns-length", f"the prefix segment {segment!r} fits into no label")
    return label


@lru_cache(16_384)
def _segment(label: bytes) -> str | None:
    """The segment of a prefix that is written as this label; None if none is."""
    if _PLAIN_SEGMENT_LABEL.fullmatch(label):
        return None if label in _RESERVED or len(label) > MAX_LABEL else label.decode().upper()
    segment = _escaped((label,))
    if segment is None or "." in segment:
        return None
    try:
        # The neighbour keeps an empty segment legal: it stands in prefixes like "88." only.
        canonical = parse(f"X{segment}/").prefix == f"X{segment}"
        return segment if canonical and _segment_label(segment).encode() == label else None
    except InvalidIdentifier:
        return None


def _suffix_labels(suffix: str) -> list[str]:
    if _PLAIN_SUFFIX.fullmatch(suffix):
        label = suffix.lower().replace(".", "--")
        if len(label) <= MAX_LABEL:
            return [label]
    if not suffix:
        return [_EMPTY]
    digits = _base32(suffix)
    pieces = [digits[start : start + _DIGITS] for start in range(0, len(digits), _DIGITS)]
    return [_LAST + pieces[-1], *(_MORE + piece for piece in reversed(pieces[:-1]))]


def plain_suffix(label: bytes) -> str | None:
    """The suffix that can be read in a label; None if there is none."""
    if len(label) > MAX_LABEL or not _PLAIN_SUFFIX_LABEL.fullmatch(label):
        return None
    return label.decode().upper().replace("--", ".")


def _suffix(labels: tuple[bytes, ...], prefix: str, rules: HandleRules) -> str | None:
    """The canonical suffix that is written as these labels; None if none is."""
    if len(labels) == 1 and (plain := plain_suffix(labels[0])) is not None:
        return plain
    suffix = _escaped(labels)
    if suffix is None or [label.encode() for label in _suffix_labels(suffix)] != list(labels):
        return None
    try:
        return suffix if parse(f"{prefix}/{suffix}", rules).suffix == suffix else None
    except InvalidIdentifier:
        return None


def _escaped(labels: Sequence[bytes]) -> str | None:
    """The text behind escape labels, None if they hold none. Not checked for being canonical."""
    if not labels[0].startswith(b"x--") or not all(map(_MIDDLE_LABEL.fullmatch, labels[1:])):
        return None
    if labels == (_EMPTY.encode(),):
        return ""
    digits = b"".join(label[len(_LAST) :] for label in reversed(labels)).upper()
    try:
        return base64.b32hexdecode(digits + b"=" * (-len(digits) % 8)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _base32(text: str) -> str:
    return base64.b32hexencode(text.encode()).decode().rstrip("=").lower()
