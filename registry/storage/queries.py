"""The reads that every SQL backend understands, with `?` for each parameter."""

from __future__ import annotations

from typing import Final

from registry.audit.log import Checkpoint, Entry
from registry.prefixes.life import PrefixState
from registry.storage.interface import ACTIVE, ADMINISTRATOR, Row

#: States in which a prefix is its enterprise's.
HELD: Final = (
    PrefixState.ALLOCATED,
    PrefixState.ROUTED,
    PrefixState.ACTIVE,
    PrefixState.TRANSFERRING,
    PrefixState.SUSPENDED,
)
_HELD: Final = ", ".join(f"'{state}'" for state in HELD)
COLUMNS: Final = ", ".join(Row._fields)
STATE: Final = "SELECT state FROM identifiers WHERE prefix = ? AND suffix = ?"
#: All that an identifier was, asked with its key twice: a row, and what comes behind it in `Past`.
VERSIONS: Final = (
    f"SELECT {COLUMNS}, made.time, made.actor, gone.time, gone.actor FROM"
    f" (SELECT {COLUMNS}, ended FROM identifier_history WHERE prefix = ? AND suffix = ?"
    f" UNION ALL SELECT {COLUMNS}, NULL FROM identifiers WHERE prefix = ? AND suffix = ?)"
    " AS versions LEFT JOIN audit_log AS made ON made.sequence = entry"
    " LEFT JOIN audit_log AS gone ON gone.sequence = ended ORDER BY version"
)
LIMITED: Final = "SELECT 1 FROM quotas WHERE registrations IS NOT NULL LIMIT 1"
_ENTRIES: Final = f"SELECT {', '.join(Entry._fields)} FROM audit_log WHERE {{}}sequence < ?"
_NEWEST_FIRST: Final = " ORDER BY sequence DESC LIMIT ?"
#: Entries of the audit log from behind a number, the newest first: all, or those about a scope.
ENTRIES: Final = _ENTRIES.format("") + _NEWEST_FIRST
ENTRIES_ABOUT: Final = _ENTRIES.format("scope = ? AND ") + _NEWEST_FIRST
HISTORY: Final = "SELECT 1 FROM identifier_history WHERE prefix = ? LIMIT 1"
CHECKPOINTS: Final = (
    f"SELECT {', '.join(Checkpoint._fields)} FROM audit_checkpoints WHERE node = ?"
    " ORDER BY sequence"
)
ROW: Final = f"SELECT {COLUMNS} FROM identifiers WHERE prefix = ? AND suffix = ?"
RECORD: Final = (
    f"SELECT record FROM identifiers WHERE prefix = ? AND suffix = ? AND state = {ACTIVE}"
)
_PAGE: Final = (
    f"SELECT {COLUMNS} FROM identifiers"
    f" WHERE prefix = ? AND suffix {{}} ? AND state = {ACTIVE} ORDER BY suffix LIMIT ?"
)
FIRST_PAGE: Final = _PAGE.format(">=")
NEXT_PAGE: Final = _PAGE.format(">")
#: What statistics count of a prefix, in key order.
COUNTED: Final = (
    f"FROM identifiers WHERE prefix = ? AND suffix <> '{ADMINISTRATOR}' AND state = {ACTIVE}"
)
HOMED: Final = "SELECT prefix FROM homed_prefixes ORDER BY prefix"
COUNTS: Final = (
    "SELECT prefix, identifiers FROM homed_prefixes JOIN prefix_statistics USING (prefix)"
    " ORDER BY prefix"
)
FACT: Final = "SELECT value FROM node_facts WHERE key = ?"
#: The account of a valid token, once for each prefix allocated to its enterprise; asked with the
#: token's digest and the time.
PRINCIPAL: Final = (
    "SELECT username, role, accounts.prefix, accounts.enterprise, prefixes.prefix"
    " FROM tokens JOIN accounts USING (username) LEFT JOIN prefixes"
    " ON prefixes.enterprise = accounts.enterprise AND accounts.enterprise <> ''"
    f" AND state IN ({_HELD})"
    " WHERE digest = ? AND disabled = 0 AND (expires = 0 OR expires > ?)"
    " ORDER BY prefixes.prefix"
)
