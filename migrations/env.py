"""Run by Alembic, within a transaction that `core.memory.upgrade` has begun."""

from alembic import context

from core.memory.tables import Base
from core.memory.upgrade import is_of_tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_object=is_of_tables,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
