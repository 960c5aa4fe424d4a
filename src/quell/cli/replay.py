"""`quell replay`: feeds history through the real rooms on a fresh database, and writes what they answered."""

import asyncio
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quell.cli.door import now, read_settings
from quell.settings import Settings

if TYPE_CHECKING:
    from quell.core.reading import Reading
    from quell.replay.history import Past
    from quell.replay.prediction import Prediction

TOLD_EVERY = 25


@click.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--company", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="company.json, if it does not lie in SOURCE or beside it.")  # fmt: skip
@click.option("--predictions", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where to write.")
@click.option("--no-corrections", is_flag=True, help="Never tell the model what was true.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write a page about it, too.")
def replay(source: Path, company: Path | None, predictions: Path, no_corrections: bool, report: Path | None) -> None:
    """Replay SOURCE/company.json and SOURCE/messages.jsonl in order of time, each message with its own clock.

    SOURCE may be a mailbox (.mbox) or a help desk's export (.csv, .json, .jsonl), too. After each answer the truth,
    where the file has one, is given as a technician's correction. Your own data is not touched: the replay has a
    database of its own, which is gone when it ends.
    """
    from quell.core.company_file import read_company
    from quell.replay import judge, prediction, summary
    from quell.replay import report as reporting
    from quell.replay.exports import read_source
    from quell.replay.history import read_company_file

    raw = (
        company.read_bytes() if company is not None else read_company_file(source if source.is_dir() else source.parent)
    )
    described, _ = read_company(raw)
    past = read_source(source, described)
    made, read, model = answers(raw, past, not no_corrections)
    prediction.write(made, predictions)
    # Only now, with every answer on paper, is the truth read for judging.
    verdicts = judge.judge(past, made)
    found = summary.summarise(verdicts)
    for line in summary.sentences(found):
        click.echo(line)
    click.echo(f"predictions: {predictions}")
    if report is not None:
        about = reporting.About(described, str(source), now(), model, not no_corrections)
        reporting.write(report, about, found, verdicts, read)
        click.echo(f"report: {report}")


def answers(
    company: bytes, past: "Sequence[Past]", corrections: bool
) -> "tuple[list[Prediction], dict[str, Reading], str]":
    """Replay messages on a fresh database: the predictions, what the model read of each message, and its version."""
    from quell.replay.run import NoDevices, Replay
    from quell.wiring import actions, make_model

    settings = read_settings()

    async def run(url: str) -> "tuple[list[Prediction], dict[str, Reading], str]":
        # A replay reaches no device, so its signer only ever refuses.
        playing = Replay(url, lambda: make_model(settings.home), actions(), NoDevices(), progress())
        try:
            made = await playing.play(company, past, corrections)
            return made, playing.readings, playing.house.mind.model.version
        finally:
            await playing.close()

    with fresh_database(settings) as url:
        return asyncio.run(run(url))


def progress() -> Callable[[int, int], None]:
    """Says on standard error how far it is: on one line for a person, now and then into a file."""
    at_screen = sys.stderr.isatty()

    def told(done: int, total: int) -> None:
        if at_screen:
            click.echo(f"\r{done} of {total}" + ("\n" if done == total else ""), nl=False, err=True)
        elif done % TOLD_EVERY == 0 or done == total:
            click.echo(f"{done} of {total}", err=True)

    return told


@contextmanager
def fresh_database(settings: Settings) -> Iterator[str]:
    """A database with our tables and nothing in them, on the configured server or an embedded one; gone at the end."""
    from quell.store import postgres
    from quell.store.schema import migrate

    logging.getLogger("alembic").setLevel(logging.WARNING)
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
