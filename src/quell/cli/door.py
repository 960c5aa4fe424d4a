"""What most commands do first: read the settings, find the database, build the house; imports wait for their turn."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import click

from quell import settings
from quell.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from quell.journey.spoken import Who
    from quell.wiring import Built

ACTOR = "cli"
POOL_SIZE = 2

Result = TypeVar("Result")


def read_settings() -> Settings:
    """The settings; a variable that looks like ours and is not is said, for it is most likely a slip of the pen."""
    found = settings.read(os.environ)
    for name in found.unknown:
        click.echo(f"quell: {name} is not a setting and changes nothing (docs/reference/settings.md)", err=True)
    return found


def with_house(verb: "Callable[[Built], Awaitable[Result]]") -> Result:
    """Call a verb of the rooms in a house that is built for it."""
    # Building the house loads the libraries of the models, for which `quell --help` shall not wait.
    from quell.wiring import opened

    async def run() -> Result:
        async with opened(read_settings(), "quell cli") as built:
            return await verb(built)

    return asyncio.run(run())


def with_database(verb: "Callable[[Settings, AsyncEngine], Awaitable[Result]]") -> Result:
    """Call a verb of the store, which needs no house."""
    from quell.store import postgres
    from quell.store.database import connect
    from quell.store.schema import migrate

    found = read_settings()

    async def run(url: str) -> Result:
        engine = connect(url, "quell cli", POOL_SIZE)
        try:
            return await verb(found, engine)
        finally:
            await engine.dispose()

    with postgres.reached(found.home, found.database_url) as url:
        migrate(url)
        return asyncio.run(run(url))


def somebody() -> "Who":
    """Whoever may type commands here owns this installation."""
    from quell.journey.spoken import Who

    return Who(0, "the command line", "", "owner", ACTOR)


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)
