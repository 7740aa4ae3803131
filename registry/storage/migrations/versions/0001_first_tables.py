"""Identifiers, homed prefixes with their statistics, accounts with their tokens, node facts."""

import sqlalchemy as sa
from alembic import op

from registry.storage.schema import OCTETS, PARTITIONS

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "identifiers",
        sa.Column("prefix", OCTETS, primary_key=True),
        sa.Column("suffix", OCTETS, primary_key=True),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("modified", sa.BigInteger, nullable=False),
        postgresql_partition_by="HASH (prefix)",
    )
    if op.get_bind().dialect.name == "postgresql":
        for part in range(PARTITIONS):
            op.execute(
                f"CREATE TABLE identifiers_{part} PARTITION OF identifiers"
                f" FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part})"
            )
    op.create_table("homed_prefixes", sa.Column("prefix", OCTETS, primary_key=True))
    op.create_table(
        "prefix_statistics",
        sa.Column("prefix", OCTETS, primary_key=True),
        sa.Column("identifiers", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "accounts",
        sa.Column("username", OCTETS, primary_key=True),
        sa.Column("role", OCTETS, nullable=False),
        sa.Column("prefix", OCTETS, nullable=False),
        sa.Column("password_digest", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "app_keys",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("username", OCTETS, sa.ForeignKey("accounts.username"), nullable=False),
    )
    op.create_table(
        "node_facts",
        sa.Column("key", OCTETS, primary_key=True),
        sa.Column("value", OCTETS, nullable=False),
    )
