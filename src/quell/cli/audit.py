"""`quell audit`: shows whether the log is still what was written, and whether the tables are still what it says."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quell.cli.door import with_database
from quell.core.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from quell.settings import Settings
    from quell.store.findings import Audited

EXIT_FOUND = 1


@click.group()
def audit() -> None:
    """Trust in the log."""


@audit.command()
@click.option("--file", type=click.Path(path_type=Path), help="The checkpoints' file, if it is kept elsewhere.")
@click.option("--key", help="The public key of checkpoints, 64 hexadecimal digits, if it is kept elsewhere.")
def verify(file: Path | None, key: str | None) -> None:
    """Read the whole log and say what was changed, removed or added; ends with 1 if anything was."""

    async def verb(settings: "Settings", engine: "AsyncEngine") -> "Audited":
        from quell.store import audit as auditing
        from quell.store.checkpoint_file import NAME

        async with engine.connect() as connection:
            return await auditing.verify(connection, file or settings.home / NAME, key or _key(settings))

    found = with_database(verb)
    for finding in found.findings:
        click.echo(str(finding))
    if found.unsaid:
        click.echo(f"and {found.unsaid} more")
    says = f"{found.events} events in {found.streams} streams, {found.checkpoints} checkpoints, {found.erased} erased"
    if found.findings:
        click.echo(f"NOT verified: {len(found.findings) + found.unsaid} findings in {says}")
        sys.exit(EXIT_FOUND)
    click.echo(f"verified {says}")


@audit.command()
def rebuild() -> None:
    """Fold every ticket anew from the log, beside the tables, and say where they differ; changes nothing."""

    async def verb(settings: "Settings", engine: "AsyncEngine") -> list[str]:
        from quell.store import rebuilding

        async with engine.connect() as connection:
            return await rebuilding.compare(connection)

    wrong = with_database(verb)
    for each in wrong:
        click.echo(each)
    if wrong:
        click.echo(f"NOT the same: {len(wrong)} differences")
        sys.exit(EXIT_FOUND)
    click.echo("The tables are what the log says.")


def _key(settings: "Settings") -> str | None:
    path = settings.home / "signer" / "checkpoint.pub"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}", code="no_public_key") from error
