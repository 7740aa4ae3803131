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
        sa.Column("submission", OCTETS, nullable=False),
        sa.Column("problem", OCTETS, nullable=False),
    )
    op.create_table(
        "enterprises",
        sa.Column("number", OCTETS, primary_key=True),
        sa.Column("state", OCTETS, nullable=False, index=True),
        sa.Column("certificate_type", sa.Integer, nullable=False),
        sa.Column("certificate_code", OCTETS, nullable=False, index=True),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("national", OCTETS, nullable=False),
        sa.Column("reported", sa.Integer, nullable=False),
    )
    op.create_table(
        "milestones",
        sa.Column("subject", OCTETS, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("operation", OCTETS, nullable=False),
        sa.Column("state", OCTETS, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("actor", OCTETS, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "provisioned_enterprises",
        sa.Column("number", OCTETS, primary_key=True),
        sa.Column("sector", OCTETS, nullable=False),
        sa.Column("certificate_type", sa.Integer, nullable=False),
        sa.Column("certificate_code", OCTETS, nullable=False, index=True),
        sa.Column("form", sa.Text, nullable=False),
    )
    op.create_table(
        "provisioned_prefixes",
        sa.Column("prefix", OCTETS, primary_key=True),
        sa.Column("sector", OCTETS, nullable=False),
        sa.Column("enterprise", OCTETS, nullable=False),
        sa.Column("state", OCTETS, nullable=False, index=True),
        sa.Column("client_transaction", OCTETS, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
    )
    op.create_table(
        "provisioning_notices",
        sa.Column("sector", OCTETS, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("prefix", OCTETS, nullable=False),
        sa.Column("enterprise", OCTETS, nullable=False),
        sa.Column("client_transaction", OCTETS, nullable=False),
        sa.Column("passed", sa.Integer, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "provisioning_replies",
        sa.Column("sector", OCTETS, primary_key=True),
        sa.Column("client_transaction", OCTETS, primary_key=True),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("reply", sa.Text, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
    )
    op.add_column("audit_log", sa.Column("scope", OCTETS, nullable=False, server_default=""))
    op.create_index("audit_log_scope", "audit_log", ["scope", "sequence"])
