"""The migrations lead exactly to the tables that the code declares."""

import importlib
import pkgutil

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

import quell.store
from quell.store.schema import JOBS_SCHEMA, migrate
from quell.store.tables import metadata


def test_the_newest_migration_gives_the_declared_tables(database_url: str) -> None:
    for info in pkgutil.iter_modules(quell.store.__path__):
        if info.name.startswith("tables"):
            importlib.import_module(f"quell.store.{info.name}")
    engine = create_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert [each for each in compare_metadata(context, metadata) if "alembic_version" not in repr(each)] == []
    engine.dispose()


def test_migrating_twice_changes_nothing_and_the_queue_has_its_own_schema(database_url: str) -> None:
    migrate(database_url)
    engine = create_engine(database_url)
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM pg_tables WHERE schemaname = :name AND tablename LIKE 'procrastinate_%'")
        assert connection.execute(query, {"name": JOBS_SCHEMA}).scalar_one() > 3
        stray = text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'procrastinate_%'")
        assert connection.execute(stray).scalar_one() == 0
    engine.dispose()
