"""The index that finds identifiers by their values, and one of those that are not active."""

import sqlalchemy as sa
from alembic import op

from registry.storage.schema import OCTETS

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "search_progress",
        sa.Column("one", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("through", sa.BigInteger, nullable=False),
        sa.Column("prefix", OCTETS),
        sa.Column("suffix", OCTETS),
    )
    op.create_table(
        "search_runs",
        sa.Column("run", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("identifiers", sa.Integer, nullable=False),
    )
    op.create_table(
        "search_terms",
        sa.Column("run", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("term", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("prefix", OCTETS, primary_key=True),
        sa.Column("suffix", OCTETS, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_backlog",
        sa.Column("entry", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("suffixes", sa.LargeBinary, nullable=False),
    )
    # Next to nothing: nearly all identifiers are active.
    op.create_index(
        "identifiers_not_active",
        "identifiers",
        ["state", "prefix", "suffix"],
        sqlite_where=sa.text("state <> 0"),
        postgresql_where=sa.text("state <> 0"),
    )
