"""What a national node keeps of the enterprises and prefixes that sector nodes report to it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from registry.enterprises.enterprise import Form


class ProvisionedEnterprise(NamedTuple):
    """An enterprise by the national node's `number`, and the prefix of the sector that made it."""

    number: str
    sector: str
    certificate_type: int
    certificate_code: str
    form: Form


class AuditState(StrEnum):
    """Where the national audit of a prefix stands."""

    PENDING = "pending"
    PASSED = "passed"
    REFUSED = "refused"


class ProvisionedPrefix(NamedTuple):
    """An enterprise prefix that a sector node created, and its audit.

    `client_transaction` is the sector node's word for the command that created it; `since` is when
    it came into its state, Unix milliseconds; `message` is what the audit said.
    """

    prefix: str
    sector: str
    enterprise: str
    state: AuditState
    client_transaction: str
    since: int
    message: str = ""


class Notice(NamedTuple):
    """The result of an audit, kept for a sector node until it acknowledges it.

    `number` is that of the audit entry about it, so that those of a sector come in their order.
    """

    sector: str
    number: int
    prefix: str
    enterprise: str
    client_transaction: str
    passed: int
    message: str
    time: int


class Answered(NamedTuple):
    """A command that changed something and its reply (JSON), so that it takes effect only once.

    `request` is the SHA-256 of the command, `time` Unix milliseconds.
    """

    sector: str
    client_transaction: str
    request: bytes
    reply: str
    time: int
