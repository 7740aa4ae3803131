"""The tables of a node's store, for every SQL backend. `migrations` creates and changes them."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

from registry.accounts.account import Account, AccountKey, AnsweredChallenge, Token
from registry.enterprises.enterprise import Enterprise
from registry.enterprises.milestones import Milestone
from registry.prefixes.allocations import Allocation
from registry.provisioning.kept import Answered, Notice, ProvisionedEnterprise, ProvisionedPrefix
from registry.quotas.quota import Quota, QuotaUse
from registry.templates.claims import Claim
from registry.templates.template import Template

#: Text that compares and sorts octet by octet (of UTF-8) on every backend.
OCTETS: Final = Text().with_variant(Text(collation="C"), "postgresql")
#: How many parts PostgreSQL keeps the identifiers in, by a hash of the prefix.
PARTITIONS: Final = 16

METADATA: Final = MetaData()
#: Beginnings of the names of tables that are outside of METADATA because a node makes them anew
#: from those in it. They are not copied.
DERIVED: Final = ("search_",)

# On SQLite an ordinary table with an index for its key, not WITHOUT ROWID. Measured with 200,000
# rows of 400 octets: serial keys cost the same either way (280,000 rows/s, 490 to 510 octets a row,
# reads within 10 %), but random suffixes are written three times as fast, and walking the keys of a
# prefix reads the index alone.
IDENTIFIERS: Final = Table(
    "identifiers",
    METADATA,
    Column("prefix", OCTETS, primary_key=True),
    Column("suffix", OCTETS, primary_key=True),
    Column("record", LargeBinary, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("modified", BigInteger, nullable=False),
    Column("entry", BigInteger, nullable=False, server_default="0"),
    Index(
        "identifiers_not_active",
        "state",
        "prefix",
        "suffix",
        sqlite_where=text("state <> 0"),
        postgresql_where=text("state <> 0"),
    ),
    postgresql_partition_by="HASH (prefix)",
)

# What identifiers were. No version of one is ever used twice, even after it was deleted.
IDENTIFIER_HISTORY: Final = Table(
    "identifier_history",
    METADATA,
    Column("prefix", OCTETS, primary_key=True),
    Column("suffix", OCTETS, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("record", LargeBinary, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("modified", BigInteger, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("ended", BigInteger, nullable=False),
)

#: A number that SQLite keeps as the row's own.
_ROW_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")

AUDIT_LOG: Final = Table(
    "audit_log",
    METADATA,
    Column("sequence", _ROW_NUMBER, primary_key=True, autoincrement=False),
    Column("time", BigInteger, nullable=False),
    Column("event", OCTETS, nullable=False),
    Column("actor", OCTETS, nullable=False),
    Column("origin", OCTETS, nullable=False),
    Column("subject", OCTETS, nullable=False),
    Column("before", LargeBinary, nullable=False),
    Column("after", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("scope", OCTETS, nullable=False, server_default=""),
    Index("audit_log_scope", "scope", "sequence"),
)

# The node's own, and those that the nodes below handed it as their witness.
AUDIT_CHECKPOINTS: Final = Table(
    "audit_checkpoints",
    METADATA,
    Column("node", OCTETS, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

IDEMPOTENCY_KEYS: Final = Table(
    "idempotency_keys",
    METADATA,
    Column("key", LargeBinary, primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("outcome", OCTETS, nullable=False),
    Column("created", BigInteger, nullable=False, index=True),
)

HOMED_PREFIXES: Final = Table(
    "homed_prefixes",
    METADATA,
    Column("prefix", OCTETS, primary_key=True),
)

PREFIX_STATISTICS: Final = Table(
    "prefix_statistics",
    METADATA,
    Column("prefix", OCTETS, primary_key=True),
    Column("identifiers", BigInteger, nullable=False),
)

ACCOUNTS: Final = Table(
    "accounts",
    METADATA,
    Column("username", OCTETS, primary_key=True),
    Column("role", OCTETS, nullable=False),
    Column("prefix", OCTETS, nullable=False),
    Column("password_digest", LargeBinary, nullable=False),
    Column("enterprise", OCTETS, nullable=False, server_default="", index=True),
    Column("disabled", BigInteger, nullable=False, server_default="0"),
    Column("created", BigInteger, nullable=False, server_default="0"),
)

TOKENS: Final = Table(
    "tokens",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("username", OCTETS, ForeignKey("accounts.username"), nullable=False, index=True),
    Column("label", OCTETS, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False, index=True),
    Column("ending", OCTETS, nullable=False),
)

ACCOUNT_KEYS: Final = Table(
    "account_keys",
    METADATA,
    Column("id", OCTETS, primary_key=True),
    Column("username", OCTETS, ForeignKey("accounts.username"), nullable=False, index=True),
    Column("label", OCTETS, nullable=False),
    Column("public_key", OCTETS, nullable=False),
    Column("created", BigInteger, nullable=False),
)

ANSWERED_CHALLENGES: Final = Table(
    "answered_challenges",
    METADATA,
    Column("nonce", LargeBinary, primary_key=True),
    Column("expires", BigInteger, nullable=False, index=True),
)

QUOTAS: Final = Table(
    "quotas",
    METADATA,
    Column("subject", OCTETS, primary_key=True),
    Column("requests", BigInteger),
    Column("registrations", BigInteger, index=True),
    Column("prefixes", BigInteger),
)

QUOTA_USE: Final = Table(
    "quota_use",
    METADATA,
    Column("subject", OCTETS, primary_key=True),
    Column("day", BigInteger, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("registrations", BigInteger, nullable=False),
)

NODE_FACTS: Final = Table(
    "node_facts",
    METADATA,
    Column("key", OCTETS, primary_key=True),
    Column("value", OCTETS, nullable=False),
)

PREFIXES: Final = Table(
    "prefixes",
    METADATA,
    Column("prefix", OCTETS, primary_key=True),
    Column("enterprise", OCTETS, nullable=False, index=True),
    Column("state", OCTETS, nullable=False, index=True),
    Column("hosting", OCTETS, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("receiver", OCTETS, nullable=False, index=True),
    Column("site", LargeBinary, nullable=False),
    Column("submission", OCTETS, nullable=False),
    Column("problem", OCTETS, nullable=False),
)

ENTERPRISES: Final = Table(
    "enterprises",
    METADATA,
    Column("number", OCTETS, primary_key=True),
    Column("state", OCTETS, nullable=False, index=True),
    Column("certificate_type", Integer, nullable=False),
    Column("certificate_code", OCTETS, nullable=False, index=True),
    Column("form", Text, nullable=False, info={"json": True}),
    Column("since", BigInteger, nullable=False),
    Column("national", OCTETS, nullable=False),
    Column("reported", Integer, nullable=False),
)

MILESTONES: Final = Table(
    "milestones",
    METADATA,
    Column("subject", OCTETS, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("operation", OCTETS, nullable=False),
    Column("state", OCTETS, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("actor", OCTETS, nullable=False),
    Column("reason", Text, nullable=False),
)

# What a national node keeps of the commands of sector nodes.
PROVISIONED_ENTERPRISES: Final = Table(
    "provisioned_enterprises",
    METADATA,
    Column("number", OCTETS, primary_key=True),
    Column("sector", OCTETS, nullable=False),
    Column("certificate_type", Integer, nullable=False),
    Column("certificate_code", OCTETS, nullable=False, index=True),
    Column("form", Text, nullable=False, info={"json": True}),
)

PROVISIONED_PREFIXES: Final = Table(
    "provisioned_prefixes",
    METADATA,
    Column("prefix", OCTETS, primary_key=True),
    Column("sector", OCTETS, nullable=False),
    Column("enterprise", OCTETS, nullable=False),
    Column("state", OCTETS, nullable=False, index=True),
    Column("client_transaction", OCTETS, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("message", Text, nullable=False),
)

PROVISIONING_NOTICES: Final = Table(
    "provisioning_notices",
    METADATA,
    Column("sector", OCTETS, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("prefix", OCTETS, nullable=False),
    Column("enterprise", OCTETS, nullable=False),
    Column("client_transaction", OCTETS, nullable=False),
    Column("passed", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
)

PROVISIONING_REPLIES: Final = Table(
    "provisioning_replies",
    METADATA,
    Column("sector", OCTETS, primary_key=True),
    Column("client_transaction", OCTETS, primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("reply", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
)

TEMPLATES: Final = Table(
    "templates",
    METADATA,
    Column("prefix", OCTETS, primary_key=True),
    Column("name", OCTETS, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("state", OCTETS, nullable=False),
    Column("title", Text, nullable=False, info={"json": True}),
    Column("industry", OCTETS, nullable=False),
    Column("carrier", OCTETS, nullable=False),
    Column("description", Text, nullable=False),
    Column("items", Text, nullable=False, info={"json": True}),
    Column("created", BigInteger, nullable=False),
    Column("modified", BigInteger, nullable=False),
)

# The values of unique items, and whose they are.
TEMPLATE_CLAIMS: Final = Table(
    "template_claims",
    METADATA,
    Column("template", OCTETS, primary_key=True),
    Column("item", Integer, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("prefix", OCTETS, nullable=False),
    Column("suffix", OCTETS, nullable=False),
    Index("template_claims_owner", "prefix", "suffix"),
)

#: The table of each kind of `registry.storage.dossiers`.
DOSSIERS: Final[dict[type[Any], Table]] = {
    Account: ACCOUNTS,
    Token: TOKENS,
    AccountKey: ACCOUNT_KEYS,
    AnsweredChallenge: ANSWERED_CHALLENGES,
    Quota: QUOTAS,
    QuotaUse: QUOTA_USE,
    Allocation: PREFIXES,
    Enterprise: ENTERPRISES,
    Milestone: MILESTONES,
    ProvisionedEnterprise: PROVISIONED_ENTERPRISES,
    ProvisionedPrefix: PROVISIONED_PREFIXES,
    Notice: PROVISIONING_NOTICES,
    Answered: PROVISIONING_REPLIES,
    Template: TEMPLATES,
    Claim: TEMPLATE_CLAIMS,
}
