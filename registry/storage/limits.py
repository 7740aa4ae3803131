"""Which limits count registrations: those of accounts, and of enterprises by their prefixes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from registry.quotas.quota import ENTERPRISE, RegistrationLimit
from registry.storage.queries import HELD
from registry.storage.schema import PREFIXES, QUOTA_USE, QUOTAS

_LIMIT: Final = (
    QUOTAS.c.subject,
    QUOTAS.c.registrations,
    func.coalesce(QUOTA_USE.c.registrations, 0),
)
_USE: Final = QUOTA_USE.c.subject == QUOTAS.c.subject
_OF_ACCOUNTS: Final = (
    select(*_LIMIT)
    .select_from(QUOTAS)
    .outerjoin(QUOTA_USE, _USE)
    .where(
        QUOTAS.c.subject.in_(bindparam("subjects", expanding=True)),
        QUOTAS.c.registrations.is_not(None),
    )
)
_OF_PREFIXES: Final = (
    select(*_LIMIT, PREFIXES.c.prefix)
    .select_from(PREFIXES)
    .join(QUOTAS, QUOTAS.c.subject == literal(ENTERPRISE).concat(PREFIXES.c.enterprise))
    .outerjoin(QUOTA_USE, _USE)
    .where(
        PREFIXES.c.prefix.in_(bindparam("prefixes", expanding=True)),
        PREFIXES.c.state.in_([state.value for state in HELD]),
        QUOTAS.c.registrations.is_not(None),
    )
)


async def registration_limits(
    connection: AsyncConnection, accounts: Sequence[str], prefixes: Sequence[str]
) -> list[RegistrationLimit]:
    """The limits of these subjects, and of the enterprises that hold these prefixes."""
    of_accounts = await connection.execute(_OF_ACCOUNTS, {"subjects": accounts})
    of_prefixes = await connection.execute(_OF_PREFIXES, {"prefixes": prefixes})
    return [RegistrationLimit(*row) for row in (*of_accounts, *of_prefixes)]
