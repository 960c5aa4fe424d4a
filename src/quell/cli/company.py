"""`quell company`: tells Quell what the company looks like."""

from pathlib import Path

import click

from quell.cli.door import somebody, with_house
from quell.core.company_file import read_company


@click.group()
def company() -> None:
    """What Quell knows about your company."""


@company.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def load(file: Path) -> None:
    """Load company.json: people, sites, services, teams, categories, devices, hours, allowed fixes."""
    raw = file.read_bytes()
    read_company(raw)  # Its faults are told before anything is started.
    loaded = with_house(lambda built: built.desk.load_company(somebody(), raw))
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo("Loaded " + ", ".join(f"{count} {noun}" for noun, count in loaded.counts) + ".")
