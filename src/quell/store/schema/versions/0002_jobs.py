"""The job queue in its own schema."""

from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy import text

revision = "0002"
down_revision = "0001"

SCHEMA = "quell_jobs"


def upgrade() -> None:
    """Create the queue's tables and functions where nothing else lives."""
    connection = op.get_bind()
    connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
    connection.execute(text(f"SET LOCAL search_path TO {SCHEMA}"))
    connection.exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    # It would NOTIFY inside every transaction, and then all commits wait for each other; we notify after the commit.
    trigger = "procrastinate_jobs_notify_queue_job_inserted_v1"
    connection.execute(text(f"ALTER TABLE {SCHEMA}.procrastinate_jobs DISABLE TRIGGER {trigger}"))
    connection.execute(text("SET LOCAL search_path TO public"))


def downgrade() -> None:
    """There is no way back but a backup."""
    raise NotImplementedError
