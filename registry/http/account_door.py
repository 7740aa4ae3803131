"""Finding the account that a request is about, for whoever may ask about it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from registry.accounts.account import Account, is_username
from registry.accounts.office import AccountOffice
from registry.accounts.sign_in import Source
from registry.audit.ledger import Ledger
from registry.errors import NotFound
from registry.http.endpoints import Call
from registry.storage.interface import Reads

PATH: Final = "/v1/accounts"
ONE: Final = PATH + "/{username}"
#: Headers of a reply that shows a secret.
NO_STORE: Final[Mapping[str, str]] = {"Cache-Control": "no-store"}


class AccountDoor:
    """Finds the account that a request is about, for whoever may do this to it."""

    def __init__(self, ledger: Ledger, reads: Reads) -> None:
        self._ledger = ledger
        self._reads = reads

    async def found(self, call: Call, *, own: bool = False) -> Account:
        """The account in the path; with `own`, its owner may do this too. Raises NotFound."""
        username = call.path["username"]
        found = []
        if is_username(username):
            found = await self._reads.dossiers(Account, username=username)
        if own and username == call.principal.username:
            call.settle()
        elif not found or not may_about(call, found[0]):
            raise NotFound("there is no such account")
        return found[0]

    @asynccontextmanager
    async def office(self, call: Call) -> AsyncIterator[AccountOffice]:
        """A transaction in the name of the caller."""
        async with self._ledger.begin() as writing:
            yield AccountOffice(writing, call.actor)


def may_about(call: Call, account: Account) -> bool:
    """Whether the caller may do this about an account: about its enterprise, or its prefix."""
    if account.enterprise:
        return call.may_for(account.enterprise)
    return call.may(account.prefix)


def source(call: Call) -> Source:
    """Where a request comes from."""
    return Source(call.request.remote or "", call.actor.origin)
