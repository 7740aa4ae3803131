"""What an identity may have done: every protocol comes through here, so rights are checked once.

Who asks has been verified before (`resolver.administration.verification`); None is nobody in
particular. Every refusal is a coded `Refusal`, and nothing is done unless all is allowed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TypeVar

from registry.audit.log import Actor
from registry.clock import Clock
from registry.errors import PrefixNotHomed
from registry.membership import Identity
from registry.prefixes.tree import TOP, PrefixTree
from registry.registration.changes import Change, Guarded, decide
from registry.registration.grouping import Done
from registry.registration.registrar import Registrar
from registry.rights import Rights
from registry.schemes.handle import Key, prefix_record
from registry.storage.interface import Store
from registry.values.admin import AdminPermission
from resolver.administration.far_records import FarRecords
from resolver.authority import Authority
from resolver.query import Answer, Query
from resolver.selection import select_restricted

T = TypeVar("T")


class Administration:
    """Changes, restricted reading and lists on one node.

    `tree` says what the node homes, `authority` what is registered there or computed; `far` are
    the records of other nodes that `rights` may rest on.
    """

    def __init__(
        self,
        store: Store,
        registrar: Registrar,
        tree: PrefixTree,
        authority: Authority,
        rights: Rights,
        far: FarRecords,
        clock: Clock,
    ) -> None:
        self._store = store
        self._lookup = store.lookup
        self._registrar = registrar
        self._tree = tree
        self._authority = authority
        self._rights = rights
        self._far = far
        self._clock = clock

    async def perform(self, identity: Identity | None, change: Change, origin: str) -> Done:
        """Make a change that came from `origin`; returns when it is durable.

        Rights are held against the record as it is when the change is decided, in one step with
        it. Raises AuthenticationNeeded, NotAnAdministrator, NotPermitted, AuthenticationUnchecked
        and what `Registrar.submit` raises.
        """
        guarded, actor = self._guarded(identity, change), _actor(identity, origin)
        submit = partial(self._registrar.submit, guarded, actor)
        return await (submit() if identity is None else self._far.provide(identity, submit))

    async def gather(self, decide: Callable[[], T]) -> T:
        """What one of the checks or reads below gives, where the store may have to be waited for.

        Called by themselves, those raise MustWait there.
        """
        return await self._store.gather(decide, for_change=True)

    async def decide_for(self, identity: Identity | None, decide: Callable[[], T]) -> T:
        """The same for somebody who has proved who they are: other nodes may be asked as well."""
        attempt = partial(self.gather, decide)
        return await (attempt() if identity is None else self._far.provide(identity, attempt))

    def foresee(self, identity: Identity | None, change: Change) -> None:
        """Raise what `perform` would, as far as the stored state tells; changes nothing."""
        key = change.key
        if not self._tree.homes(key):
            raise PrefixNotHomed(key.prefix)
        decide(self._guarded(identity, change), self._lookup.row(*key), int(self._clock.now()))

    def read(self, identity: Identity | None, query: Query) -> Answer:
        """The values that the query selects, restricted ones included.

        Raises AuthenticationNeeded, NotAnAdministrator or NotPermitted without the right to read.
        """
        key, now = query.key, self._clock.now()
        if not self._tree.homes(key):
            raise PrefixNotHomed(key.prefix)
        record = self._authority.record(query, now)
        if not isinstance(record, bytes):
            return record
        self._rights.need(identity, key, record, AdminPermission.READ_VALUE)
        return select_restricted(record, query, now)

    def check_listing(self, identity: Identity | None, prefix: str) -> None:
        """Raise unless the identity may list the identifiers of a prefix homed here."""
        if prefix not in self._tree.homed:
            raise PrefixNotHomed(prefix)
        self._rights.need(identity, Key(prefix, ""), None, AdminPermission.LIST_HANDLES)

    async def handles(self, identity: Identity | None, prefix: str) -> AsyncIterator[Key]:
        """The identifiers of a prefix in order, read as they are asked for.

        Raises what `check_listing` raises.
        """
        await self.decide_for(identity, partial(self.check_listing, identity, prefix))
        return (row.key async for row in self._store.reads.scan(prefix))

    def check_server(self, identity: Identity | None) -> None:
        """Raise unless the identity is one of those who run the node."""
        self._rights.need_server(identity)

    def homed(self, identity: Identity | None) -> list[Key]:
        """The records of the prefixes that the node answers for."""
        self.check_server(identity)
        return [prefix_record(prefix) for prefix in sorted(self._tree.homed - {TOP})]

    async def home(self, identity: Identity | None, prefix: str, origin: str) -> None:
        """Answer for a prefix from now on."""
        self.check_server(identity)
        await self._registrar.home([prefix], _actor(identity, origin))

    async def unhome(self, identity: Identity | None, prefix: str, origin: str) -> None:
        """Answer for a prefix no longer; its identifiers stay stored."""
        self.check_server(identity)
        await self._registrar.unhome([prefix], _actor(identity, origin))

    def homes(self, key: Key) -> bool:
        """Whether the node is the authority for an identifier."""
        return self._tree.homes(key)

    async def values(self, key: Key) -> bytes | None:
        """The whole record of an identifier homed here, for those who check keys in it."""
        return await self._store.reads.record(*key) if self._tree.homes(key) else None

    def _guarded(self, identity: Identity | None, change: Change) -> Guarded:
        return Guarded(change, partial(self._rights.check, identity, change))


def _actor(identity: Identity | None, origin: str) -> Actor:
    return Actor("anonymous" if identity is None else str(identity), origin)
