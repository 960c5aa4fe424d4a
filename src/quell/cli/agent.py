"""`quell agent`: lets devices in, and is the agent itself where it runs on a device."""

import sys

import click

from quell.cli.door import somebody, with_house

UNCHANGED = {"ignore_unknown_options": True, "help_option_names": []}


@click.group()
def agent() -> None:
    """The program on a device."""


@agent.command()
def token() -> None:
    """Make a token that lets one device in, once, and print it."""
    made = with_house(lambda built: built.desk.enrol(somebody()))
    click.echo(made.token)
    click.echo(f"It lets one device in until {made.ends:%Y-%m-%d %H:%M} UTC.", err=True)


@agent.command(context_settings=UNCHANGED)
@click.argument("given", nargs=-1, type=click.UNPROCESSED)
def enrol(given: tuple[str, ...]) -> None:
    """Let this device in: `--server URL --token TOKEN`."""
    _on_the_device("enrol", given)


@agent.command(context_settings=UNCHANGED)
@click.argument("given", nargs=-1, type=click.UNPROCESSED)
def run(given: tuple[str, ...]) -> None:
    """Ask the server for orders and obey those that this device allows."""
    _on_the_device("run", given)


@agent.command(context_settings=UNCHANGED)
@click.argument("given", nargs=-1, type=click.UNPROCESSED)
def doctor(given: tuple[str, ...]) -> None:
    """Say what stands in the agent's way on this device."""
    _on_the_device("doctor", given)


def _on_the_device(verb: str, given: tuple[str, ...]) -> None:
    # The agent knows nothing of the rest of Quell, and a device has no more of it installed than this.
    from quell.agent.__main__ import main

    home: tuple[str, ...] = ()
    rest = list(given)
    if "--home" in rest:
        at = rest.index("--home")
        home, rest = tuple(rest[at : at + 2]), rest[:at] + rest[at + 2 :]
    sys.exit(main([*home, verb, *rest]))
