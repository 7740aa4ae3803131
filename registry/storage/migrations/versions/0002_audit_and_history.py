"""The audit log with its checkpoints, what identifiers were, idempotency keys."""

import sqlalchemy as sa
from alembic import op

from registry.storage.schema import OCTETS

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "identifiers", sa.Column("entry", sa.BigInteger, nullable=False, server_default="0")
    )
    op.create_table(
        "identifier_history",
        sa.Column("prefix", OCTETS, primary_key=True),
        sa.Column("suffix", OCTETS, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("modified", sa.BigInteger, nullable=False),
        sa.Column("entry", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit_log",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("event", OCTETS, nullable=False),
        sa.Column("actor", OCTETS, nullable=False),
        sa.Column("origin", OCTETS, nullable=False),
        sa.Column("subject", OCTETS, nullable=False),
        sa.Column("before", sa.LargeBinary, nullable=False),
        sa.Column("after", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "audit_checkpoints",
        sa.Column("node", OCTETS, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("outcome", OCTETS, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False, index=True),
    )
