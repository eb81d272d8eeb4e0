"""Alembic's environment: our connection, and all models for comparing."""

from alembic import context

from app.migrations.metadata import everything

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=everything(),
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
