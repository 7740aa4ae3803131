"""Changes of identifiers as tasks: what hinders them is said first, then they are made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from registry.errors import AuthenticationNeeded, PrefixNotHomed
from registry.membership import Identity
from registry.registration.changes import Change, Create, PutValues
from registry.registration.grouping import Done
from registry.values.value import scan
from resolver.administration.service import Administration
from resolver.administration.tasks import Part
from resolver.codecs.handle.bodies.administration import encode_handle
from resolver.codecs.handle.header import AT, OVERWRITE


@dataclass(frozen=True, slots=True)
class ChangeTask:
    """A change of an identifier. `open` if what hinders it is said before who asks is known.

    `origin` is where it comes from, `created` the handle that the reply to a creation names,
    `flags` those of a new one.
    """

    administration: Administration
    change: Change
    origin: str
    open: bool
    created: bytes | None = None
    flags: int = AT

    def check(self, identity: Identity | None) -> None:
        if identity is None and not self.open:
            if not self.administration.homes(self.change.key):
                raise PrefixNotHomed(self.change.key.prefix)
            raise AuthenticationNeeded()
        self.administration.foresee(identity, self.change)

    async def run(self, identity: Identity | None) -> Iterable[Part]:
        done = await self.administration.perform(identity, self.change, self.origin)
        body = b"" if self.created is None else encode_handle(self.created)
        flags = self.flags | OVERWRITE if overwrites(self.change, done) else self.flags
        return (Part(body, flags=flags),)


def overwrites(change: Change, done: Done) -> bool:
    """Whether a creation or addition put something in the place of what was there."""
    if isinstance(change, Create):
        return not done.created
    if not isinstance(change, PutValues) or done.before is None:
        return False
    before = {span.index for span in scan(done.before.record)}
    return not before.isdisjoint(value.index for value in change.values)
