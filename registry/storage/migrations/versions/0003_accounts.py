"""Accounts of enterprises, log-ins that end, keys of programs."""

import sqlalchemy as sa
from alembic import op

from registry.storage.schema import OCTETS

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("enterprise", OCTETS, nullable=False, server_default=""))
