"""Alembic's entry: runs the migrations on the connection that `migrate` hands over."""

from alembic import context
from sqlalchemy import Connection

from quell.store.schema import JOBS_SCHEMA
from quell.store.tables import metadata


def include_name(name: str | None, kind: str, parents: object) -> bool:
    """Leave the job queue's own schema out of every comparison."""
    return not (kind == "schema" and name == JOBS_SCHEMA)


def run(connection: Connection) -> None:
    """Run what is missing, each migration in its own transaction."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        include_name=include_name,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
