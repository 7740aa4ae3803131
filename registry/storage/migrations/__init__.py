"""The history of the schema, one file a step in `versions`, applied by alembic."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from registry.storage.interface import StoreNotUsable

#: The newest revision. A database that stands there is opened without loading alembic.
HEAD: Final = "0007"


def upgrade(connection: Connection) -> None:
    """Bring the schema to HEAD inside the connection's transaction.

    Raises StoreNotUsable for a database that a newer version of the program has changed.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "registry.storage:migrations")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, HEAD)
    except CommandError as error:
        raise StoreNotUsable(
            f"the schema of the store cannot be brought up to date: {error}"
        ) from None
