"""Migrations: brings a database to the tables that this version declares."""

from pathlib import Path

from sqlalchemy import Connection, create_engine, text

MIGRATION_LOCK = 0x5155454C4C  # "QUELL": one migration at a time over all processes.
JOBS_SCHEMA = "quell_jobs"


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database at this SQLAlchemy URL up to date; safe to call from many processes at once."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            if revision == "head" and applied(connection) == newest():
                return
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


def newest() -> str:
    """The name of the last migration that this version has."""
    return max(each.name.partition("_")[0] for each in (Path(__file__).parent / "versions").glob("[0-9]*_*.py"))


def applied(connection: Connection) -> str | None:
    """The name of the last migration that the database has had, None before the first."""
    there = connection.execute(text("SELECT to_regclass('public.alembic_version')")).scalar_one()
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none() if there else None
    connection.rollback()
    return found


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the missing migrations on an open connection."""
    # Most starts have nothing to do, and need not wait for these libraries.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    connection.commit()
