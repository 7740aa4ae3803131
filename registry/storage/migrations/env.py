"""Run by alembic for each upgrade: hands it the connection that `upgrade` was given."""

from alembic import context

from registry.storage.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # All steps or none, on SQLite too: a node killed while it starts must be able to start again.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
