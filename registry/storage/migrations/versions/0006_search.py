"""The index that finds identifiers by their values."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    pass
