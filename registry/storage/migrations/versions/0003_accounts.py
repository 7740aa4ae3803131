"""Accounts of enterprises, log-ins that end, keys of programs."""

import sqlalchemy as sa
from alembic import op

from registry.storage.schema import OCTETS

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for column in (
        sa.Column("enterprise", OCTETS, nullable=False, server_default=""),
        sa.Column("disabled", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("created", sa.BigInteger, nullable=False, server_default="0"),
    ):
        op.add_column("accounts", column)
    op.create_index("ix_accounts_enterprise", "accounts", ["enterprise"])
    op.create_table(
        "tokens",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column(
            "username", OCTETS, sa.ForeignKey("accounts.username"), nullable=False, index=True
        ),
        sa.Column("label", OCTETS, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False, index=True),
        sa.Column("ending", OCTETS, nullable=False),
    )
    op.execute("INSERT INTO tokens SELECT digest, username, 'app key', 0, 0, '' FROM app_keys")
    op.drop_table("app_keys")
    op.create_table(
        "account_keys",
        sa.Column("id", OCTETS, primary_key=True),
        sa.Column(
            "username", OCTETS, sa.ForeignKey("accounts.username"), nullable=False, index=True
        ),
        sa.Column("label", OCTETS, nullable=False),
        sa.Column("public_key", OCTETS, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "answered_challenges",
        sa.Column("nonce", sa.LargeBinary, primary_key=True),
        sa.Column("expires", sa.BigInteger, nullable=False, index=True),
    )
