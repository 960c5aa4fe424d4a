"""`quell backup`, `restore` and `doctor`: care for an installation."""

import asyncio
import sys
from pathlib import Path

import click

from quell.cli.door import now, read_settings
from quell.cli.up import only_one

EXIT_WRONG = 1


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write database, keys and checkpoints into FILE, while everything runs. Whoever has the file has the keys."""
    from quell.store import archive, postgres

    settings = read_settings()
    with postgres.reached(settings.home, settings.database_url) as url:
        archive.write(settings.home, url, file, now())
    click.echo(f"{file}: {file.stat().st_size} bytes, readable by you only; it holds the private keys.")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Bring FILE back into an empty home and an empty database, and audit what was brought back."""
    from quell.store import archive, postgres

    settings = read_settings()
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with only_one(settings.home), postgres.reached(settings.home, settings.database_url) as url:
        manifest = archive.read(settings.home, url, file)
    click.echo(f"Restored as of {manifest.at}. Now prove it: quell audit verify && quell audit rebuild")


@click.command()
def doctor() -> None:
    """Look at everything that has to be well, and say what is not; ends with 1 if something is not."""
    from quell.cli.checkup import look

    found = asyncio.run(look(read_settings()))
    for each in found:
        click.echo(f"{'ok' if each.well else 'WRONG':6}{each.what:14}{each.says}")
    if not all(each.well for each in found):
        sys.exit(EXIT_WRONG)
