"""Run by Alembic, within a transaction that `core.memory.upgrade` has begun."""

from alembic import context

from core.memory.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
