"""`/v1/accounts`: who may use the node, and as what."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from registry.accounts.account import Account, check_username, digest
from registry.accounts.appointments import check_role
from registry.accounts.passwords import Passwords
from registry.accounts.sign_in import SignIn
from registry.authorisation import Operation, Role
from registry.clock import Clock
from registry.enterprises.enterprise import Enterprise
from registry.errors import InvalidValue, NotPermitted, StateConflict
from registry.http.account_door import NO_STORE, ONE, PATH, AccountDoor, may_about, source
from registry.http.account_views import (
    AccountPage,
    AccountView,
    MeView,
    Name,
    NewAccountView,
    Password,
    account_view,
    new_account_view,
)
from registry.http.endpoints import Call, Endpoint, Reply
from registry.http.paging import PageQuery, page_of, read_cursor
from registry.schemes.handle import ascii_upper
from registry.storage.dossiers import Page
from registry.storage.interface import Reads

ME: Final = "/v1/me"
_PASSWORD_SIZE: Final = 18
_Act: TypeAlias = Callable[[Call], Awaitable[Reply]]


class NewAccount(msgspec.Struct, forbid_unknown_fields=True):
    """An account to be made. Without `enterprise` and `prefix` it acts for what its maker does;
    without `password` one is made, and shown once."""

    username: Name
    role: Role
    prefix: str = ""
    enterprise: str = ""
    password: Password = ""


class NewPassword(msgspec.Struct, forbid_unknown_fields=True):
    """Another password; `old` is needed for one's own account."""

    password: Password
    old: Password = ""


class AccountQuery(PageQuery, kw_only=True):
    """Which accounts."""

    enterprise: str = ""


class AccountResources:
    """What is done about accounts over HTTP. `node_prefix` is what the node's staff acts for."""

    def __init__(
        self,
        door: AccountDoor,
        reads: Reads,
        clock: Clock,
        passwords: Passwords,
        sign_in: SignIn,
        node_prefix: str | None,
    ) -> None:
        self._door = door
        self._reads = reads
        self._clock = clock
        self._passwords = passwords
        self._sign_in = sign_in
        self._node_prefix = node_prefix

    def endpoints(self) -> Sequence[Endpoint]:
        """The table of them."""
        read, manage = Operation.ACCOUNT_READ, Operation.ACCOUNT_MANAGE
        one: dict[int, Any] = {200: AccountView}
        rows: tuple[tuple[str, str, str, str, _Act, Operation | None, dict[str, Any]], ...] = (
            (
                "GET",
                PATH,
                "list-accounts",
                "The accounts that the caller may see",
                self._list,
                read,
                {"query": AccountQuery, "answers": {200: AccountPage}},
            ),
            (
                "POST",
                PATH,
                "create-account",
                "Make an account",
                self._create,
                manage,
                {"body": NewAccount, "answers": {201: NewAccountView}},
            ),
            ("GET", ONE, "read-account", "An account", self._show, read, {"answers": one}),
            (
                "DELETE",
                ONE,
                "delete-account",
                "End an account with its tokens and keys",
                self._delete,
                manage,
                {"answers": {204: None}},
            ),
            (
                "POST",
                ONE + "/disable",
                "disable-account",
                "Let nobody in by an account; its tokens end",
                self._disable,
                manage,
                {"answers": one},
            ),
            (
                "POST",
                ONE + "/enable",
                "enable-account",
                "Let people in by an account again",
                self._enable,
                manage,
                {"answers": one},
            ),
            (
                "PUT",
                ONE + "/password",
                "set-password",
                "Give an account another password; its tokens end",
                self._set_password,
                manage,
                {"body": NewPassword, "answers": {204: None}},
            ),
            ("GET", ME, "read-me", "Whose the token is", _me, None, {"answers": {200: MeView}}),
        )
        return [
            Endpoint(method, path, name, summary, act, right, tag="accounts", **more)
            for method, path, name, summary, act, right, more in rows
        ]

    async def _list(self, call: Call) -> Reply:
        query: AccountQuery = call.query
        having = _visible(call, query.enterprise)
        page = Page(read_cursor(query.cursor, str), query.limit + 1)
        found = await self._reads.dossiers(Account, page, **having)
        return Reply(body=page_of(found, query.limit, lambda each: (each.username,), account_view))

    async def _create(self, call: Call) -> Reply:
        body: NewAccount = call.body
        account = self._asked_for(call, body)
        if not may_about(call, account):
            raise NotPermitted("the token may not make such an account")
        check_role(account, self._node_prefix)
        if account.enterprise and not await self._reads.dossiers(
            Enterprise, number=account.enterprise
        ):
            raise InvalidValue("there is no such enterprise", field="enterprise")
        made = "" if body.password else secrets.token_urlsafe(_PASSWORD_SIZE)
        stored = digest(made)
        if body.password:
            stored = await self._passwords.hashed(body.password, account.username)
        account = account._replace(password_digest=stored)
        async with self._door.office(call) as office:
            await office.open(account)
        return Reply(201, new_account_view(account, made), NO_STORE)

    def _asked_for(self, call: Call, body: NewAccount) -> Account:
        """The account of a request, without its password. Raises InvalidValue."""
        check_username(body.username)
        enterprise, prefix = body.enterprise, ascii_upper(body.prefix)
        if not enterprise and not prefix:
            enterprise = call.principal.enterprise
            prefix = "" if enterprise else call.principal.prefixes[0]
        now = int(self._clock.now())
        return Account(body.username, body.role, prefix, b"", enterprise, created=now)

    async def _show(self, call: Call) -> Reply:
        return Reply(body=account_view(await self._door.found(call, own=True)))

    async def _delete(self, call: Call) -> Reply:
        account = await self._of_another(call, "deleting it")
        async with self._door.office(call) as office:
            await office.delete(account.username)
        return Reply(204)

    async def _disable(self, call: Call) -> Reply:
        account = await self._of_another(call, "disabling it")
        async with self._door.office(call) as office:
            return Reply(body=account_view(await office.disable(account.username)))

    async def _enable(self, call: Call) -> Reply:
        account = await self._of_another(call, "enabling it")
        async with self._door.office(call) as office:
            return Reply(body=account_view(await office.enable(account.username)))

    async def _of_another(self, call: Call, operation: str) -> Account:
        """The account in the path, which is not the caller's: so there is always one left."""
        account = await self._door.found(call)
        if account.username == call.principal.username:
            raise StateConflict(operation, "the caller's own", "account")
        return account

    async def _set_password(self, call: Call) -> Reply:
        body: NewPassword = call.body
        account = await self._door.found(call, own=True)
        if account.username == call.principal.username:
            await self._sign_in.confirm(account, body.old, source(call))
        stored = await self._passwords.hashed(body.password, account.username)
        async with self._door.office(call) as office:
            await office.set_password(account.username, stored)
        return Reply(204)


async def _me(call: Call) -> Reply:
    return Reply(body=MeView(*call.principal))


def _visible(call: Call, enterprise: str) -> dict[str, str]:
    """What the accounts have in common that are listed. Raises NotFound, NotPermitted."""
    principal = call.principal
    if enterprise:
        call.need_to_see_for(enterprise)
        return {"enterprise": enterprise}
    if principal.enterprise:
        call.need_for(principal.enterprise)
        return {"enterprise": principal.enterprise}
    call.need(principal.prefixes[0])
    return {} if principal.runs_the_node else {"enterprise": "", "prefix": principal.prefixes[0]}
