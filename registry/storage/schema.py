"""The tables of a node's store, for every SQL backend. `migrations` creates and changes them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)

METADATA: Final = MetaData()

# On SQLite an ordinary table with an index for its key, not WITHOUT ROWID. Measured with 200,000
# rows of 400 octets: serial keys cost the same either way (280,000 rows/s, 490 to 510 octets a row,
# reads within 10 %), but random suffixes are written three times as fast, and walking the keys of a
# prefix reads the index alone.
IDENTIFIERS: Final = Table(
    "identifiers",
    METADATA,
    Column("prefix", Text, primary_key=True),
    Column("suffix", Text, primary_key=True),
    Column("record", LargeBinary, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("modified", BigInteger, nullable=False),
)

HOMED_PREFIXES: Final = Table(
    "homed_prefixes",
    METADATA,
    Column("prefix", Text, primary_key=True),
)

PREFIX_STATISTICS: Final = Table(
    "prefix_statistics",
    METADATA,
    Column("prefix", Text, primary_key=True),
    Column("identifiers", BigInteger, nullable=False),
)

ACCOUNTS: Final = Table(
    "accounts",
    METADATA,
    Column("username", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("password_digest", LargeBinary, nullable=False),
)

APP_KEYS: Final = Table(
    "app_keys",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("username", Text, ForeignKey("accounts.username"), nullable=False),
)

NODE_FACTS: Final = Table(
    "node_facts",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
