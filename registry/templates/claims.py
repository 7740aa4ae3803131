"""What a record's items have to do with other records: values that nobody else may have, and
references to records made after a certain template.

A claim says that the value of a unique item belongs to an identifier. Claims change in the
transaction of the change that makes or ends them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from registry.schemes.handle import Key
from registry.templates.conformance import Values
from registry.templates.template import Items

#: Template, item, digest: what can be claimed once.
ClaimKey: TypeAlias = tuple[str, int, bytes]


class Claim(NamedTuple):
    """The value with this SHA-256 of an item of a template belongs to an identifier."""

    template: str
    item: int
    digest: bytes
    prefix: str
    suffix: str

    @property
    def key(self) -> ClaimKey:
        return self[:3]

    @property
    def owner(self) -> Key:
        return Key(self.prefix, self.suffix)


def claims(items: Items, key: Key, values: Values) -> Iterator[Claim]:
    """What an identifier with these values claims."""
    for item in items.unique:
        found = values.get(item.index)
        if found is not None:
            digest = hashlib.sha256(found[1]).digest()
            yield Claim(items.template.id, item.index, digest, *key)
