"""The parts of a node's administration, put together: what its front-ends are given."""

from __future__ import annotations

from collections.abc import Callable, Collection

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from registry.clock import Clock
from registry.membership import Identity
from registry.prefixes.tree import PrefixTree
from registry.registration.registrar import Registrar
from registry.rights import Rights
from registry.schemes.handle import DEFAULT_RULES, HandleRules, Key
from registry.storage.interface import Store
from registry.workers import Workers
from resolver.administration.certification import Certifier
from resolver.administration.dialogue import Dialogue
from resolver.administration.far_records import FarRecords
from resolver.administration.operations import Operations
from resolver.administration.service import Administration
from resolver.administration.session_service import SessionService
from resolver.administration.tasks import Resolve
from resolver.administration.verification import Elsewhere, Nowhere, Verifier
from resolver.authority import Authority
from resolver.metrics import Counters


class Certification:
    """A certifier with its thread; also for a node that has nothing to administer."""

    def __init__(self, key: Callable[[], RSAPrivateKey]) -> None:
        self._workers = Workers("certification", max_waiting=1024)
        self.certifier = Certifier(key, self._workers)

    def close(self) -> None:
        self._workers.close()


class Desk:
    """`service` changes things, `verifier` checks who asks, `dialogue` speaks the native protocol.

    `administrators` run the node, `site` is its HS_SITE data and `serial` the site's serial number
    at the moment, `resolve` the resolve function that every protocol shares. To be closed by
    `close`.
    """

    def __init__(
        self,
        store: Store,
        registrar: Registrar,
        tree: PrefixTree,
        authority: Authority,
        certifier: Certifier,
        clock: Clock,
        counters: Counters,
        *,
        resolve: Resolve,
        serial: Callable[[], int],
        site: Callable[[], bytes],
        administrators: Collection[Identity] = (),
        elsewhere: Elsewhere | None = None,
        rules: HandleRules = DEFAULT_RULES,
    ) -> None:
        self._workers = Workers("authentication")
        elsewhere = elsewhere or Nowhere()
        far = FarRecords(elsewhere, clock)

        def here(key: Key) -> bytes | None:
            return store.lookup.record(*key) if tree.homes(key) else None

        def anywhere(key: Key) -> bytes | None:
            return store.lookup.record(*key) if tree.homes(key) else far.record(key)

        rights = Rights(here, administrators, rules, anywhere)
        self.service = Administration(store, registrar, tree, authority, rights, far, clock)
        self.verifier = Verifier(
            self.service.values, self.service.homes, self._workers, elsewhere, rules
        )
        service = SessionService(self.verifier, self._workers, clock)
        self.sessions = service.sessions
        self.dialogue = Dialogue(
            Operations(self.service, self.verifier, resolve, site, rules).table,
            self.verifier,
            service,
            certifier,
            clock,
            serial=serial,
            answers=counters.answers,
            changes=counters.changes,
            gather=self.service.gather,
        )

    def close(self) -> None:
        """End the threads."""
        self._workers.close()
