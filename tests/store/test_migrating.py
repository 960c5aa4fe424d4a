"""A start finds out without Alembic whether there is anything to migrate, and it finds out right."""

import subprocess
import sys
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

import quell.store.schema
from quell.store import postgres
from quell.store.schema import applied, migrate, newest


def test_the_newest_by_name_is_the_newest_by_alembic() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(quell.store.schema.__file__).parent))
    assert ScriptDirectory.from_config(config).get_heads() == [newest()]


def test_an_empty_database_is_brought_up_and_an_older_one_too(server: postgres.Server) -> None:
    made = postgres.create_database(server, "migrating")
    engine = create_engine(made.url)
    try:
        with engine.connect() as connection:
            assert applied(connection) is None
            migrate(made.url, "0001")
            assert applied(connection) == "0001"
            migrate(made.url)
            assert applied(connection) == newest()
            assert connection.execute(text("SELECT count(*) FROM ticket")).scalar_one() == 0
    finally:
        engine.dispose()
        postgres.drop_database(server, "migrating")


def test_a_start_with_nothing_to_do_does_without_alembic(database_url: str) -> None:
    order = "import sys; from quell.store.schema import migrate; migrate(sys.argv[1]); print('alembic' in sys.modules)"
    source = str(Path(quell.store.schema.__file__).parents[3])
    done = subprocess.run(
        [sys.executable, "-c", order, database_url], env={"PYTHONPATH": source}, capture_output=True, text=True
    )
    assert done.stdout == "False\n", done.stderr
