"""Identifiers, homed prefixes with their statistics, accounts with their tokens, node facts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "identifiers",
        sa.Column("prefix", sa.Text, primary_key=True),
        sa.Column("suffix", sa.Text, primary_key=True),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("modified", sa.BigInteger, nullable=False),
    )
    op.create_table("homed_prefixes", sa.Column("prefix", sa.Text, primary_key=True))
    op.create_table(
        "prefix_statistics",
        sa.Column("prefix", sa.Text, primary_key=True),
        sa.Column("identifiers", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "accounts",
        sa.Column("username", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("password_digest", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "app_keys",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("username", sa.Text, sa.ForeignKey("accounts.username"), nullable=False),
    )
    op.create_table(
        "node_facts",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
