"""Accounts, tokens and keys as the management API shows them: without any secret."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from registry.accounts.account import Account, AccountKey, Token
from registry.accounts.keys import kind, read_key
from registry.accounts.passwords import MAX_LENGTH
from registry.authorisation import Role
from registry.values.json_form import iso_time

Name: TypeAlias = Annotated[str, Meta(max_length=64)]
Label: TypeAlias = Annotated[str, Meta(max_length=64)]
#: As somebody gives it; which ones are taken says `registry.accounts.passwords`.
Password: TypeAlias = Annotated[str, Meta(max_length=4 * MAX_LENGTH)]


class AccountView(msgspec.Struct, omit_defaults=True):
    """An account. `disabled` is since when, times are RFC 3339."""

    username: str
    role: Role
    created: str
    prefix: str = ""
    enterprise: str = ""
    disabled: str = ""


class NewAccountView(AccountView, kw_only=True):
    """A new account; `password` is the one made for it where none was given, shown once."""

    password: str = ""


class AccountPage(msgspec.Struct, omit_defaults=True):
    """A page of accounts, by username."""

    items: list[AccountView]
    next_cursor: str = ""


class MeView(msgspec.Struct):
    """Whose the token is: `prefixes` are those it acts for now."""

    username: str
    role: Role
    prefixes: tuple[str, ...]
    enterprise: str


class TokenView(msgspec.Struct, omit_defaults=True):
    """A token. `ending` are its last characters; without `expires` it does not expire."""

    id: str
    label: str
    created: str
    ending: str
    expires: str = ""


class TokenList(msgspec.Struct):
    """The tokens of an account."""

    items: list[TokenView]


class IssuedTokenView(TokenView, kw_only=True):
    """A new token, shown once, and the account it is for."""

    token: str
    account: str


class KeyView(msgspec.Struct):
    """A public key that its owner logs in with."""

    id: str
    label: str
    kind: str
    public_key: str
    created: str


class KeyList(msgspec.Struct):
    """The keys of an account."""

    items: list[KeyView]


def account_view(account: Account) -> AccountView:
    """An account as it is shown."""
    disabled = iso_time(account.disabled) if account.disabled else ""
    created = iso_time(account.created)
    return AccountView(
        account.username, account.role, created, account.prefix, account.enterprise, disabled
    )


def new_account_view(account: Account, password: str) -> NewAccountView:
    """A new account as it is shown once."""
    return NewAccountView(**msgspec.structs.asdict(account_view(account)), password=password)


def token_view(token: Token) -> TokenView:
    """A token as it is shown."""
    expires = iso_time(token.expires) if token.expires else ""
    return TokenView(token.id, token.label, iso_time(token.created), token.ending, expires)


def issued_token_view(token: Token, secret: str) -> IssuedTokenView:
    """A new token as it is shown once."""
    shown = msgspec.structs.asdict(token_view(token))
    return IssuedTokenView(**shown, token=secret, account=token.username)


def key_view(key: AccountKey) -> KeyView:
    """A key as it is shown."""
    return KeyView(
        key.id, key.label, kind(read_key(key.public_key)), key.public_key, iso_time(key.created)
    )
