"""`quell token`: keys for programs that use the API."""

from typing import TYPE_CHECKING

import click

from quell.cli.door import ACTOR, with_house
from quell.core.permission import Role

if TYPE_CHECKING:
    from quell.wiring import Built


@click.group()
def token() -> None:
    """Bearer tokens for programs."""


@token.command()
@click.option("--role", type=click.Choice([str(each) for each in Role]), required=True, help="What it may do.")
@click.option("--name", default="", help="What it is for, to recognise it later.")
def create(role: str, name: str) -> None:
    """Make a bearer token and print it; it is shown this once."""

    async def verb(built: "Built") -> str:
        from quell.store import tokens

        async with built.store.change() as change:
            return await tokens.create(change, name or role, Role(role), ACTOR)

    click.echo(with_house(verb))
