"""A node's checkpoints: made when its log has grown, by the process that sees it first."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from registry.audit.log import Actor
from registry.clock import ManualClock
from registry.registration.registrar import Registrar
from registry.storage.backends import open_store
from resolver.checkpoints import Checkpoints

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ACTOR = Actor("test", "test")


async def test_an_end_that_is_not_known_is_not_signed_twice(store_url: str) -> None:
    store = await open_store(store_url)
    registrar = Registrar(store, ManualClock())
    made = Checkpoints("tea", None, registrar.ledger, lambda: KEY, None, None)
    await registrar.home(["88.901"], ACTOR)
    await made.make()
    with pytest.raises(ZeroDivisionError):
        async with registrar.ledger.begin():
            raise ZeroDivisionError
    assert registrar.ledger.head is None
    await made.make()
    await registrar.home(["88.902"], ACTOR)
    await made.aclose()
    assert [each.sequence for each in await store.reads.checkpoints("tea")] == [1, 2]
    await registrar.aclose()
    await store.close()


async def test_two_processes_keep_a_checkpoint_once(store_url: str) -> None:
    stores = [await open_store(store_url) for _ in range(2)]
    registrars = [Registrar(store, ManualClock()) for store in stores]
    made = [
        Checkpoints("tea", None, registrar.ledger, lambda: KEY, None, None)
        for registrar in registrars
    ]
    await registrars[0].home(["88.901"], ACTOR)
    await registrars[1].ledger.open()
    for each in made:
        await each.make()
    assert [each.sequence for each in await stores[0].reads.checkpoints("tea")] == [1]
    for each, registrar, store in zip(made, registrars, stores, strict=True):
        await each.aclose()
        await registrar.aclose()
        await store.close()
