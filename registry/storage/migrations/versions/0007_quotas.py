"""Limits, and how much of them is used."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    pass
