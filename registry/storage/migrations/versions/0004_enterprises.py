"""Enterprises and the prefixes allocated to them."""

import sqlalchemy as sa
from alembic import op

from registry.storage.schema import OCTETS

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "prefixes",
        sa.Column("prefix", OCTETS, primary_key=True),
        sa.Column("enterprise", OCTETS, nullable=False, index=True),
        sa.Column("state", OCTETS, nullable=False, index=True),
        sa.Column("hosting", OCTETS, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("receiver", OCTETS, nullable=False, index=True),
        sa.Column("site", sa.LargeBinary, nullable=False),
        sa.Column("problem", OCTETS, nullable=False),
    )
