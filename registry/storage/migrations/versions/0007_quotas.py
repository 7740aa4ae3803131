"""Limits, and how much of them is used."""

import sqlalchemy as sa
from alembic import op

from registry.storage.schema import OCTETS

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "quotas",
        sa.Column("subject", OCTETS, primary_key=True),
        sa.Column("requests", sa.BigInteger),
        sa.Column("registrations", sa.BigInteger, index=True),
        sa.Column("prefixes", sa.BigInteger),
    )
    op.create_table(
        "quota_use",
        sa.Column("subject", OCTETS, primary_key=True),
        sa.Column("day", sa.BigInteger, nullable=False),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("registrations", sa.BigInteger, nullable=False),
    )
