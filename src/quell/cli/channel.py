"""`quell channel`: switches ways in and out on, and shows those that are on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from quell.cli.door import somebody, with_house
from quell.core.errors import Fault, Refused

if TYPE_CHECKING:
    from quell.journey.spoken import Address
    from quell.store.deliveries import Line
    from quell.wiring import Built

HIDDEN = "(set)"


@click.group()
def channel() -> None:
    """The ways on which people and machines reach Quell."""


@channel.command()
@click.argument("name")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="One setting; may be given many times.")
def add(name: str, pairs: tuple[str, ...]) -> None:
    """Switch the channel NAME on and print the address to enter at the sender.

    Each call opens one more address with settings of its own. What can be set stands in docs/reference/channels.md.
    """
    values = read_pairs(pairs)

    async def verb(built: "Built") -> "tuple[str, Address]":
        return built.settings.public_url, await built.desk.add_channel(somebody(), name, values)

    base, address = with_house(verb)
    if address.path is None:
        click.echo(f"{address.channel} is on; it fetches by itself.")
    else:
        click.echo(f"{base}{address.path}")


@channel.command("list")
def list_() -> None:
    """Show the channels that are on, with their addresses; secrets are not shown."""

    async def verb(built: "Built") -> list[str]:
        from quell.store import deliveries

        async with built.store.read() as connection:
            return [_shown(built, each) for each in await deliveries.lines(connection)]

    found = with_house(verb)
    for line in found:
        click.echo(line)
    if not found:
        click.echo("No channel is on yet.")


def read_pairs(pairs: Sequence[str]) -> dict[str, str]:
    """`key=value` texts as a mapping; Refused names those that are none, and a key that was given twice."""
    values: dict[str, str] = {}
    faults = []
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            faults.append(Fault(pair, "is not KEY=VALUE"))
        elif key in values:
            faults.append(Fault(key, "is given twice"))
        values[key] = value
    if faults:
        raise Refused("these settings cannot be read", 422, "bad_settings", tuple(faults))
    return values


def _shown(built: "Built", line: "Line") -> str:
    declared = built.house.channels[line.name].settings if line.name in built.house.channels else ()
    open_to_see = {each.key for each in declared if not each.secret}
    settings = [f"{key}={value if key in open_to_see else HIDDEN}" for key, value in sorted(line.settings.items())]
    heard = f"last heard {line.heard_at:%Y-%m-%d %H:%M} UTC" if line.heard_at else "nothing heard yet"
    return "  ".join([line.name, f"{built.settings.public_url}/hooks/{line.name}/{line.key}", heard, *settings])
