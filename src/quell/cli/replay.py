"""`quell replay`: feeds history through the real rooms on a fresh database, and writes what they answered."""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from quell.cli.door import read_settings
from quell.settings import Settings


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--predictions", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where to write.")
@click.option("--no-corrections", is_flag=True, help="Never tell the model what was true.")
def replay(folder: Path, predictions: Path, no_corrections: bool) -> None:
    """Replay FOLDER/company.json and FOLDER/messages.jsonl in order of time, each message with its own clock.

    After each answer the truth, where the file has one, is given as a technician's correction. Your own data is not
    touched: the replay has a database of its own, which is gone when it ends.
    """
    from quell.replay import prediction
    from quell.replay.run import NoDevices, Replay
    from quell.wiring import actions, make_model

    settings = read_settings()

    async def run(url: str) -> int:
        # A replay reaches no device, so its signer only ever refuses.
        playing = Replay(url, lambda: make_model(settings.home), actions(), NoDevices())
        try:
            made = await playing.run(folder, corrections=not no_corrections)
        finally:
            await playing.close()
        prediction.write(made, predictions)
        return len(made)

    with fresh_database(settings) as url:
        count = asyncio.run(run(url))
    click.echo(f"{count} predictions in {predictions}")


@contextmanager
def fresh_database(settings: Settings) -> Iterator[str]:
    """A database with our tables and nothing in them, on the configured server or an embedded one; gone at the end."""
    from quell.store import postgres
    from quell.store.schema import migrate

    with tempfile.TemporaryDirectory(prefix="quell-replay-") as folder:
        if settings.database_url is None:
            with postgres.start(Path(folder), durable=False) as running:
                migrate(running.server.url)
                yield running.server.url
            return
        server, name = postgres.Server(settings.database_url), f"quell_replay_{os.getpid()}"
        made = postgres.create_database(server, name)
        try:
            migrate(made.url)
            yield made.url
        finally:
            postgres.drop_database(server, name)
