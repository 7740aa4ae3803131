"""The parts of a node's administration, put together: what its front-ends are given."""

from __future__ import annotations

from collections.abc import Callable, Collection

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from registry.clock import Clock
from registry.prefix_tree import PrefixTree
from registry.registration import Registrar
from registry.rights import Identity, Rights
from registry.schemes.handle import DEFAULT_RULES, HandleRules
from registry.storage.interface import Store
from registry.workers import Workers
from resolver.administration.certification import Certifier
from resolver.administration.dialogue import Dialogue
from resolver.administration.operations import Operations
from resolver.administration.service import Administration
from resolver.administration.session_service import SessionService
from resolver.administration.tasks import Resolve
from resolver.administration.verification import Elsewhere, Verifier
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

    `administrators` run the node, `serial` is its site's serial number at the moment, `resolve` the
    resolve function that every protocol shares. To be closed by `close`.
    """

    def __init__(
        self,
        store: Store,
        registrar: Registrar,
        tree: PrefixTree,
        certifier: Certifier,
        clock: Clock,
        counters: Counters,
        *,
        resolve: Resolve,
        serial: Callable[[], int],
        administrators: Collection[Identity] = (),
        elsewhere: Elsewhere | None = None,
        rules: HandleRules = DEFAULT_RULES,
    ) -> None:
        self._workers = Workers("authentication")
        rights = Rights(store.lookup.record, administrators, rules)
        self.service = Administration(store, registrar, tree, rights, clock)
        self.verifier = Verifier(
            self.service.values, self.service.homes, self._workers, elsewhere, rules
        )
        self.dialogue = Dialogue(
            Operations(self.service, self.verifier, resolve, rules).table,
            self.verifier,
            SessionService(self.verifier, self._workers, clock),
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
