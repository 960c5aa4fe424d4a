"""What every test may ask for: a real PostgreSQL, and in it a fresh, migrated database of the test's own."""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import text

from quell.store import postgres
from quell.store.audit_chains import check_chains
from quell.store.database import connect
from quell.store.findings import Audited
from quell.store.schema import migrate

TEMPLATE = "template_quell"
NUMBERS = itertools.count(1)
Found = TypeVar("Found")


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """The embedded server in a home of its own; it never waits for the disk, nothing here must outlive the run."""
    home = Path(tempfile.mkdtemp(prefix="quell-home-"))
    try:
        with postgres.start(home, durable=False) as running:
            yield running.server
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def template(server: postgres.Server) -> str:
    """The name of a database that holds the newest schema and no data; it is cloned, never written to."""
    made = postgres.create_database(server, TEMPLATE)
    migrate(made.url)
    return TEMPLATE


@pytest.fixture
def database_url(request: pytest.FixtureRequest, server: postgres.Server, template: str) -> Iterator[str]:
    """The address of a fresh database with the newest schema, dropped after the test.

    Whatever the test did there, its log must be true: only a test marked `tampers` may leave one that is not.
    """
    name = f"test_{next(NUMBERS)}"
    url = postgres.create_database(server, name, template).url
    yield url
    wrong = [] if request.node.get_closest_marker("tampers") else in_a_thread(untrue(url))
    postgres.drop_database(server, name)
    assert not wrong, "\n".join(wrong)


def in_a_thread(work: Coroutine[None, None, Found]) -> Found:
    """Run it beside this thread: a browser's test has a loop of Playwright's own running in it."""
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(asyncio.run, work).result()


async def untrue(url: str) -> list[str]:
    """What an audit finds in a database's log."""
    engine, found = connect(url, "quell-test-audit", 1), Audited()
    try:
        async with engine.connect() as connection:
            if (await connection.execute(text("SELECT EXISTS (SELECT FROM event)"))).scalar_one():
                await check_chains(connection, found)
    finally:
        await engine.dispose()
    return [str(each) for each in found.findings]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Sample data that is not ours to publish: QUELL_SHARED_DATA or ../shared/data; the test is skipped without it."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("QUELL_SHARED_DATA") or beside)
    if not folder.is_dir():
        pytest.skip(f"needs the sample data, and {folder.name} is not there (set QUELL_SHARED_DATA)")
    return folder
