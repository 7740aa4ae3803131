"""A line of an upload, `{"identifier", "values": [{"index", "type", "data"}…]}`, as a row to add.

Nearly all lines are plain: values of text, with nothing in them that has to be looked at twice.
Those go from JSON to the wire form without becoming values in between. Whatever is out of the
ordinary, and all that is wrong, goes the way of a single registration and gets its words.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from registry.errors import DecodeError, InvalidValue, Refusal
from registry.json_text import read_json
from registry.namespaces.namespace import NAMESPACE_TYPE
from registry.registration.changes import MAX_RECORD, MAX_VALUES, Create, decide
from registry.schemes.handle import HandleRules, Key, parse
from registry.values.json_form import value_from_json
from registry.values.value import DEFAULT_PERMISSIONS, DEFAULT_TTL, TTL_RELATIVE, type_matches
from registry.values.wire import string, u32

_FIXED: Final = struct.Struct(">IIBIB")  # index, timestamp, TTL type, TTL, permissions
_MAX_INDEX: Final = 0x7FFF_FFFF
_MAX_TTL: Final = 0xFFFF_FFFF
_U32: Final = struct.Struct(">I")
_NO_REFERENCES: Final = u32(0)
#: Kinds of values of which the beginning is kept.
_MAX_HEADS: Final = 4096
_MEMBERS: Final = {"identifier", "values"}


class Row(NamedTuple):
    """An identifier to add: its canonical form, the text it was written as, its record."""

    prefix: str
    suffix: str
    asked: str
    record: bytes


class RefusedRow(Exception):  # noqa: N818 - a refusal is an outcome, not a malfunction
    """Why a line is no row; `asked` is the identifier in it, None where it has none."""

    def __init__(self, refusal: Refusal, asked: str | None) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal
        self.asked = asked


class _Value(msgspec.Struct, gc=False):
    index: int
    type: str
    data: str | dict[str, str]
    ttl: int | None = None


class _Line(msgspec.Struct, gc=False):
    identifier: str
    values: list[_Value]


_decode: Final = msgspec.json.Decoder(_Line).decode


class RowReader:
    """Reads lines for one upload. `check` raises Refusal for keys that may not be added by it.

    `now`, a Unix time in seconds, is the timestamp of the values.
    """

    def __init__(self, rules: HandleRules, check: Callable[[Key], None], now: int = 0) -> None:
        self._rules = rules
        self._max_length = rules.max_length
        self._ignore_case = not rules.case_sensitive_suffix
        self._check = check
        self._heads: dict[tuple[int, str, int | None], bytes] = {}
        self._prefixes: dict[str, str] = {}
        self._now = now

    @property
    def now(self) -> int:
        return self._now

    @now.setter
    def now(self, seconds: int) -> None:
        if seconds != self._now:
            self._now = seconds
            self._heads.clear()

    def read(self, line: bytes) -> Row:
        """The row in a line. Raises RefusedRow."""
        try:
            found = _decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return self._read_closely(line)
        asked = found.identifier
        prefix, slash, suffix = asked.partition("/")
        key_prefix = self._prefixes.get(prefix) if slash else None
        plain = asked.isascii() and asked.isprintable() and len(asked) <= self._max_length
        record = self._plain_record(line, found.values) if plain else None
        if key_prefix is None or record is None:
            return self._read_closely(line)
        return Row(key_prefix, suffix.upper() if self._ignore_case else suffix, asked, record)

    def _plain_record(self, line: bytes, values: Sequence[_Value]) -> bytes | None:
        """The record of values of text with ascending indexes, None if they are not that plain."""
        texts, last, heads = 3, 0, self._heads
        record = _U32.pack(len(values))
        for value in values:
            index, data = value.index, value.data
            texts += 5 if value.ttl is None else 6
            if isinstance(data, dict):
                if data.get("format") != "string" or "value" not in data:
                    return None
                texts += 2 * len(data) - 1
                data = data["value"]
            kind = (index, value.type, value.ttl)
            head = heads.get(kind) or self._head(kind)
            if index <= last or head is None:
                return None
            last = index
            octets = data.encode()
            record += head + _U32.pack(len(octets)) + octets + _NO_REFERENCES
        # Members that are not looked at here, and names that stand twice, show in the number of
        # texts, names included; a text with a quotation mark in it is looked at closely in vain.
        plain = line.count(b'"') == 2 * texts and 0 < len(values) <= MAX_VALUES
        return record if plain and len(record) <= MAX_RECORD else None

    def _head(self, kind: tuple[int, str, int | None]) -> bytes | None:
        """A value's octets up to its data, None for a type whose data has rules of its own."""
        index, type_, given = kind
        octets, ttl = type_.encode(), DEFAULT_TTL if given is None else given
        holds = 1 <= index <= _MAX_INDEX and 0 <= ttl <= _MAX_TTL
        if not holds or type_matches(NAMESPACE_TYPE, octets):
            return None
        if len(self._heads) >= _MAX_HEADS:
            self._heads.clear()
        fixed = _FIXED.pack(index, self._now, TTL_RELATIVE, ttl, DEFAULT_PERMISSIONS)
        self._heads[kind] = head = fixed + string(octets)
        return head

    # --- the way of a single registration ---

    def _read_closely(self, line: bytes) -> Row:
        asked = None
        try:
            form = read_json(line)
            if isinstance(form, dict) and isinstance(form.get("identifier"), str):
                asked = form["identifier"]
            key = parse(_identifier(form), self._rules)
            self._check(key)
            if not key.is_prefix_record:
                self._remember(asked or "", key)
            values = [value_from_json(value) for value in _values(form)]
            row = decide(Create(key, values), None, self._now)
        except Refusal as refusal:
            raise RefusedRow(refusal, asked) from None
        assert row is not None
        return Row(*key, asked or "", row.record)

    def _remember(self, asked: str, key: Key) -> None:
        """The prefix as it was written may be added to; whether it may depends on no suffix."""
        if len(self._prefixes) >= _MAX_HEADS:
            self._prefixes.clear()
        self._prefixes[asked.partition("/")[0]] = key.prefix


def _identifier(form: Any) -> str:
    if not isinstance(form, dict):
        raise InvalidValue("a line is an object with identifier and values")
    for name in form:
        if name not in _MEMBERS:
            raise InvalidValue(f"there is no member {name[:80]!r} here", field=name[:80])
    identifier = form.get("identifier")
    if not isinstance(identifier, str):
        raise InvalidValue("identifier: a string is expected", field="identifier")
    return identifier


def _values(form: Any) -> list[Any]:
    values = form.get("values")
    if not isinstance(values, list) or not values:
        raise InvalidValue("values: a list with at least one value is expected", field="values")
    return values


def too_long(max_line: int) -> RefusedRow:
    """What is said of a line that was not kept."""
    return RefusedRow(DecodeError(f"the line is longer than {max_line} octets"), None)
