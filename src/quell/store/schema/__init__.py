"""Migrations: brings a database to the tables that this version declares."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, text

MIGRATION_LOCK = 0x5155454C4C  # "QUELL": one migration at a time over all processes.
JOBS_SCHEMA = "quell_jobs"


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database at this SQLAlchemy URL up to date; safe to call from many processes at once."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
            connection.commit()
            try:
                upgrade(connection, revision)
            finally:
                connection.rollback()
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
                connection.commit()
    finally:
        engine.dispose()


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the missing migrations on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    connection.commit()
