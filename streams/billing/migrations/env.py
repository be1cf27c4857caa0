"""What alembic runs: on the connection that it is handed, and in its transaction."""

from alembic import context

from streams.billing.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
