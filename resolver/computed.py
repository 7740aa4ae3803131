"""Records of identifiers that are not registered but computed from the template of their prefix.

The namespace of a homed prefix P is that of the record `P/` (empty suffix) on this node and behind
it that of the prefix record `0.NA/P`, if this node keeps it; a base may have one of its own, which
comes first. Namespaces of prefixes are read once and kept until one of those records changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final, NamedTuple, Protocol

from registry.errors import DecodeError, InvalidIdentifier
from registry.namespaces.namespace import (
    Namespace,
    Template,
    TemplateReference,
    namespace_of,
    read_templates,
)
from registry.namespaces.template import Block, Computing, compute
from registry.prefixes.tree import PrefixTree
from registry.schemes.handle import (
    DEFAULT_RULES,
    HandleRules,
    Key,
    ascii_upper,
    parse,
    prefix_record,
)
from registry.storage.interface import MustWait, Row
from registry.values.value import PUBLIC_READ, decode_record, encode_record
from resolver.query import Query

#: The suffix of the record that holds the namespace of its prefix.
OWN_RECORD: Final = ""
#: Most references from template to template.
MAX_REFERENCES: Final = 10


class Records(Protocol):
    """Point reads of stored records; raises MustWait as `Lookup` does."""

    def record(self, prefix: str, suffix: str) -> bytes | None: ...

    def row(self, prefix: str, suffix: str) -> Row | None: ...


class PrefixNamespace(NamedTuple):
    """The namespaces of a prefix, nearest first, and the delimiter that they agree on."""

    namespaces: tuple[Namespace, ...]
    delimiter: str

    def split(self, key: Key) -> int:
        """Where the delimiter first stands behind the prefix of an identifier, -1 for nowhere."""
        return str(key).find(self.delimiter, len(key.prefix))


class _NoTemplate(Exception):  # noqa: N818 - it is what was found
    """A reference leads to no template: the identifier does not exist."""


class ComputedRecords:
    """Computes records for a node that homes the prefixes in `tree`."""

    def __init__(
        self, tree: PrefixTree, records: Records, rules: HandleRules = DEFAULT_RULES
    ) -> None:
        self._tree = tree
        self._records = records
        self._rules = rules
        self._ignore_case = not rules.case_sensitive_suffix
        self._prefixes: dict[str, PrefixNamespace | None] = {}
        self._referenced: set[Key] = set()

    def record(self, query: Query) -> bytes | None:
        """The record that templates make for an identifier of a homed prefix that is not stored.

        None if they make none. Raises NotComputable. What is put into values is spelled as asked.
        """
        found = self._of(query.key.prefix)
        if found is None:
            return None
        at = found.split(query.key)
        if at < 0:
            return None
        handle = query.asked.decode()
        base = _base(query.key, at)
        stored = None if base is None else self._records.record(*base)
        own = None if stored is None else namespace_of(stored, self._ignore_case)
        namespaces = found.namespaces if own is None else (own, *found.namespaces)
        templates = next(each.templates for each in namespaces if each.templates)
        computing = Computing(() if stored is None else decode_record(stored))
        try:
            blocks = self._blocks(templates, 0)
        except (_NoTemplate, DecodeError, InvalidIdentifier):
            return None
        extension = handle[at + len(found.delimiter) :]
        for block in blocks:
            if not compute(block, computing, handle, handle[:at], extension):
                return None
        return encode_record(computing.values)

    def subject(self, key: Key) -> Key:
        """The registered identifier whose changes bear on what is answered about `key`.

        That is the base of a computed one, else the identifier itself.
        """
        try:
            found = self._of(key.prefix) if key.prefix in self._tree.homed else None
        except MustWait:
            # It has changed, and is being read: all replies are dropped after that.
            return key
        if found is None:
            return key
        at = found.split(key)
        return key if at < 0 else _base(key, at) or key

    def follow(self, keys: Sequence[Key], homed_changed: bool) -> bool:
        """Forget what changed identifiers bear on; whether that may be whole prefixes."""
        of_prefixes = [key for key in keys if key.is_prefix_record or key.suffix == OWN_RECORD]
        if homed_changed:
            self._prefixes.clear()
        for key in of_prefixes:
            self._prefixes.pop(key.suffix if key.is_prefix_record else key.prefix, None)
        return homed_changed or bool(of_prefixes) or not self._referenced.isdisjoint(keys)

    def unread(self) -> list[str]:
        """The homed prefixes whose namespaces were not read, or have changed since."""
        return [prefix for prefix in self._tree.homed if prefix not in self._prefixes]

    def read(self, prefix: str) -> None:
        """Have the namespaces of a homed prefix from now on."""
        self._of(prefix)

    def _of(self, prefix: str) -> PrefixNamespace | None:
        """The namespace of a homed prefix if identifiers may be computed by it."""
        try:
            return self._prefixes[prefix]
        except KeyError:
            found = self._prefixes[prefix] = self._read(prefix)
            return found

    def _read(self, prefix: str) -> PrefixNamespace | None:
        namespaces = []
        for key in (Key(prefix, OWN_RECORD), prefix_record(prefix)):
            record = self._records.record(*key) if self._tree.homes(key) else None
            found = None if record is None else namespace_of(record, self._ignore_case)
            if found is not None:
                namespaces.append(found)
        delimiter = next((each.delimiter for each in namespaces if each.delimiter), None)
        if delimiter is None:
            return None
        canonical = ascii_upper(delimiter) if self._ignore_case else delimiter
        return PrefixNamespace(tuple(namespaces), canonical)

    def _blocks(self, templates: Sequence[Template], depth: int) -> list[Block]:
        """The instructions of templates, those that they refer to in their place."""
        return list(
            chain.from_iterable(
                self._blocks(self._referred(each), self._one_deeper(depth))
                if isinstance(each, TemplateReference)
                else [each]
                for each in templates
            )
        )

    def _one_deeper(self, depth: int) -> int:
        if depth == MAX_REFERENCES:
            raise _NoTemplate
        return depth + 1

    def _referred(self, reference: TemplateReference) -> tuple[Template, ...]:
        """The templates in a public value of an identifier that lives on this node."""
        key = parse(reference.handle, self._rules)
        self._referenced.add(key)
        record = self._records.record(*key) if self._tree.homes(key) else None
        for value in decode_record(record) if record is not None else ():
            if value.index == reference.index and value.permissions & PUBLIC_READ:
                return read_templates(value.data, self._ignore_case)
        raise _NoTemplate


def _base(key: Key, at: int) -> Key | None:
    """The key of what stands before position `at`; None if that is no more than the prefix."""
    length = at - len(key.prefix) - 1
    return Key(key.prefix, key.suffix[:length]) if length >= 0 else None
