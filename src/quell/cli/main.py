"""The command `quell`: all groups, and how each of the three kinds of error ends a command."""

import sys

import click

from quell.cli import agent, audit, care, channel, company, evaluate, processes, replay, token, up
from quell.cli.bench.command import bench
from quell.cli.demo.command import demo
from quell.core.errors import Broken, QuellError, Refused, TryAgain

EXIT_REFUSED = 2
EXIT_TRY_AGAIN = 75  # "Temporary failure" in sysexits.h: whoever starts us may do so again.
EXIT_BROKEN = 70  # "Internal software error".


class Commands(click.Group):
    """A group whose errors are sentences: what was refused says why, and where."""

    def invoke(self, context: click.Context) -> object:
        """Run a command; an error that Quell raised on purpose ends it with one sentence and its own status."""
        try:
            return super().invoke(context)
        except QuellError as error:
            click.echo(f"quell: {error}", err=True)
            for fault in error.faults if isinstance(error, Refused) else ():
                click.echo(f"  {fault.place}: {fault.says}", err=True)
            sys.exit(_status(error))
        except Exception as error:
            if not _is_database_away(error):
                raise
            click.echo("quell: the database does not answer, or will not let us in (QUELL_DATABASE_URL)", err=True)
            sys.exit(EXIT_TRY_AGAIN)


def _status(error: QuellError) -> int:
    if isinstance(error, TryAgain):
        return EXIT_TRY_AGAIN
    return EXIT_BROKEN if isinstance(error, Broken) else EXIT_REFUSED


def _is_database_away(error: Exception) -> bool:
    # Only what failed may import these: `quell --help` shall not wait for a database library.
    import psycopg
    import sqlalchemy.exc

    return isinstance(error, psycopg.OperationalError | sqlalchemy.exc.OperationalError | sqlalchemy.exc.InterfaceError)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="quell")
def main() -> None:
    """Quell sorts the queue of everything that is wrong with a company's technology.

    All commands read the same settings from the environment and find the database by them.
    """


main.add_command(up.up)
for command in processes.ALL:
    main.add_command(command)
for group in (company.company, channel.channel, token.token, agent.agent, audit.audit):
    main.add_command(group)
for command in (replay.replay, evaluate.evaluate, bench, demo, care.backup, care.restore, care.doctor):
    main.add_command(command)
