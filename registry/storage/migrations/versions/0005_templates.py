"""Templates of records, and the values that only one record may have."""

import sqlalchemy as sa
from alembic import op

from registry.storage.schema import OCTETS

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "templates",
        sa.Column("prefix", OCTETS, primary_key=True),
        sa.Column("name", OCTETS, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("state", OCTETS, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("industry", OCTETS, nullable=False),
        sa.Column("carrier", OCTETS, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("items", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("modified", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "template_claims",
        sa.Column("template", OCTETS, primary_key=True),
        sa.Column("item", sa.Integer, primary_key=True),
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("prefix", OCTETS, nullable=False),
        sa.Column("suffix", OCTETS, nullable=False),
    )
    op.create_index("template_claims_owner", "template_claims", ["prefix", "suffix"])
